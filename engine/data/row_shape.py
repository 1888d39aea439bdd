"""What a shape of rows is: how it is recognised, and how its rows become examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.problems import RowProblem

Converted = Example | list[Example]
"""What a row becomes: one example, or several for a conversation of which every turn is one."""

Convert = Callable[[Mapping[str, Any], Source, RowNotes], Converted]
"""Makes the examples of a row, and notes what the user should know of it. Raises RowError for a row that cannot become one."""

Problems = list[tuple[Source, RowProblem]]
"""Rows that are left out, and why."""

Settle = Callable[[list[Example], Problems, RowNotes], list[Example]]
"""Takes the examples of a file, and returns those that are left; the others it adds to the problems."""


def _always(row: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True)
class RowShape:
    """One of the ways to write an example as a row."""

    name: str
    required_keys: frozenset[str]
    """The keys by which it is recognised."""
    convert: Convert
    fits: Callable[[Mapping[str, Any]], bool] = _always
    """Whether a row that has the keys has the shape: for shapes that are recognised by more than the names of keys."""
    settle: Settle | None = None
    """Decides what can be decided only with all rows of a file."""

    def examples(self, row: Mapping[str, Any], source: Source, notes: RowNotes) -> list[Example]:
        """The examples of a row, at least one. Raises RowError."""
        converted = self.convert(row, source, notes)
        return converted if isinstance(converted, list) else [converted]

    def has(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has the shape."""
        return self.required_keys <= row.keys() and self.fits(row)
