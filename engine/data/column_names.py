"""The names of the columns of a table, each made the only one of its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.data.notes import RenamedColumns, RowNote


def renamed(names: Sequence[str], distinct: Sequence[str]) -> tuple[RowNote, ...]:
    """What the user should know of columns that `distinct_names` has given a number."""
    new = dict[str, list[str]]()
    for name, other in zip(names, distinct, strict=True):
        if name != other:
            new.setdefault(name, []).append(other)
    return tuple(RenamedColumns(name, tuple(others)) for name, others in new.items())


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names, with a number after those that several columns have, so that none of them is taken for the others: `note 1`, `note 2`."""
    counts = Counter(names)
    taken = {name for name, count in counts.items() if count == 1}
    distinct = []
    for name in names:
        if counts[name] == 1:
            distinct.append(name)
            continue
        number = 1
        while f"{name} {number}" in taken:
            number += 1
        distinct.append(f"{name} {number}")
        taken.add(distinct[-1])
    return distinct


@dataclass(frozen=True)
class Header:
    """The names of the columns. A column without a name is called by its position, and is only kept where it has something."""

    names: list[str]
    unnamed: frozenset[int]
    notes: tuple[RowNote, ...]

    @classmethod
    def of(cls, cells: Sequence[str]) -> Header:
        """The header with these cells."""
        cells = [name.strip() for name in cells]
        unnamed = frozenset(at for at, name in enumerate(cells) if not name)
        named = [f"column {at + 1}" if at in unnamed else name for at, name in enumerate(cells)]
        distinct = distinct_names(named)
        return cls(distinct, unnamed, renamed(named, distinct))

    def row(self, cells: Sequence[Any]) -> dict[str, Any]:
        """The cells by the names of their columns; cells beyond the last column by their position, if they have something."""
        if not self.unnamed and len(cells) == len(self.names):
            return dict(zip(self.names, cells, strict=True))
        named = {name: cell for at, (name, cell) in enumerate(zip(self.names, cells, strict=False)) if cell != "" or at not in self.unnamed}
        return named | {f"column {at + 1}": cell for at, cell in enumerate(cells) if at >= len(self.names) and cell != ""}
