"""Rows as the readers give them, before they become examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.data.notes import RowNote
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.problems import RowProblem


@dataclass(frozen=True)
class RawRow:
    """The parsed value of one row."""

    line: int
    """As in `Source`."""
    value: Any
    notes: tuple[RowNote, ...] = ()
    """What the user should know of how the row was read."""
    part: Part | None = None
    """The part that it belongs to, if the file says so."""


@dataclass(frozen=True)
class InvalidRow:
    """A row that cannot be parsed."""

    line: int
    problem: RowProblem


class Misnamed(ValueError):
    """A file whose content is not what its ending says; the message is a sentence."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


RawRows = Iterator[RawRow | InvalidRow]
