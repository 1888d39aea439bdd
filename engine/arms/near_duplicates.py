"""Rows that are nearly a case: shown as solved examples they would give its answer away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.example import Example


def near_duplicate_rows(rows: Sequence[Example], cases: Sequence[Example]) -> list[set[int]]:
    """For each case the numbers of the rows that are its duplicates or near it, by the measure of the audit.

    Near is a Jaccard similarity of at least 0.8 of the runs of three words of all that the model reads; text that many rows share is set
    aside first.
    """
    if not rows or not cases:
        return [set() for _ in cases]
    examples, scored = Rows(rows), Rows(cases)
    found = join_rows(examples, scored).rows
    near: dict[int, set[int]] = defaultdict(set)
    for left, right in zip(found.pairs.left.tolist(), found.pairs.right.tolist(), strict=True):
        near[left].add(right)
        near[right].add(left)
    having: dict[object, set[int]] = defaultdict(set)
    for at in range(len(rows)):
        having[int(found.set_of[at])].add(at)
        having[examples.duplicate[at]].add(at)
    answer = []
    for at in range(len(cases)):
        own = int(found.set_of[len(rows) + at])
        keys: list[object] = [own, *near[own], scored.duplicate[at]]
        answer.append(set[int]().union(*(having[key] for key in keys if key in having)))
    return answer
