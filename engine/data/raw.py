"""Rows as the readers give them, before they become examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.data.problems import RowProblem


@dataclass(frozen=True)
class RawRow:
    """The parsed value of one row."""

    line: int
    """As in `Source`."""
    value: Any


@dataclass(frozen=True)
class InvalidRow:
    """A row that cannot be parsed."""

    line: int
    problem: RowProblem


RawRows = Iterator[RawRow | InvalidRow]
