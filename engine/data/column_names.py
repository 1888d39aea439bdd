"""The names of the columns of a table, each made the only one of its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
