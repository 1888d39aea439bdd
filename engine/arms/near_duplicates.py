"""Train rows that are near duplicates of a case: as examples in the prompt they would give its answer away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.example import Example


def near_duplicate_rows(rows: Sequence[Example], cases: Sequence[Example]) -> list[set[int]]:
    """For each case the indices of the rows that are its exact or near duplicates, as the audit defines them.

    Near means a Jaccard similarity of at least 0.8 between the word trigrams of all that the model reads, without text that many rows
    share.
    """
    if not rows or not cases:
        return [set() for _ in cases]
    examples, scored = Rows(rows), Rows(cases)
    found = join_rows(examples, scored).rows
    near: dict[int, set[int]] = defaultdict(set)
    for left, right in zip(found.pairs.left.tolist(), found.pairs.right.tolist(), strict=True):
        near[left].add(right)
        near[right].add(left)
    rows_by_key: dict[object, set[int]] = defaultdict(set)
    for at in range(len(rows)):
        rows_by_key[int(found.set_of[at])].add(at)
        rows_by_key[examples.duplicate[at]].add(at)
    duplicates = []
    for at in range(len(cases)):
        own = int(found.set_of[len(rows) + at])
        keys: list[object] = [own, *near[own], scored.duplicate[at]]
        duplicates.append(set[int]().union(*(rows_by_key[key] for key in keys if key in rows_by_key)))
    return duplicates
