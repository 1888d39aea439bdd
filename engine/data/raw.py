"""A row as its file has it, or why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.data.problems import RowProblem


@dataclass(frozen=True)
class RawRow:
    """One row as the file has it."""

    line: int
    value: Any


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be read, and why."""

    line: int
    problem: RowProblem


Rows = Iterator[RawRow | BadRow]
