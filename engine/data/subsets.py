"""Smaller and smaller shares of train, each within the next, for the question of whether more labels would help."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tuneproof.engine.core.hashing import sha256_data, sha256_text
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import shuffled

SHARES = (25, 50)
"""The shares of train that are trained on beside the whole, in per cent: each is half of the next."""

TOLERANCE = 0.05
"""How far a share may be from what was asked, as a part of train: beyond, the next would not be about twice as many."""


def nested_subsets(train: Sequence[Example], seed: int, group_by: str | None = None) -> dict[int, list[Example]]:
    """The rows of each share, those of a smaller one within those of a larger, in the order in which they stand in train.

    Which rows these are depends on the seed and on what they say, not on where they stand. Rows of one group go in together: more labels
    would come with more groups too, and a share that has a little of every group would look as good as all of them. A share that cannot
    be cut to within `TOLERANCE`, as too few rows or too large groups are in the way, is left out.
    """
    groups = _in_order(train, seed, group_by)
    subsets: dict[int, list[Example]] = {}
    for share in SHARES:
        aim = len(train) * share / 100
        taken = _nearest([len(group) for group in groups], aim)
        chosen = {id(row) for group in groups[:taken] for row in group}
        if chosen and abs(len(chosen) - aim) <= TOLERANCE * len(train):
            subsets[share] = [row for row in train if id(row) in chosen]
    return subsets


def missing_labels(rows: Sequence[Example], train: Sequence[Example]) -> list[str]:
    """The outputs that train has and some of its rows have not."""
    return sorted({row.output.strip() for row in train} - {row.output.strip() for row in rows})


def rows_digest(rows: Sequence[Example]) -> str:
    """One digest over what the rows say, in their order."""
    return sha256_data([row.content_hash for row in rows])


def _in_order(train: Sequence[Example], seed: int, group_by: str | None) -> list[list[Example]]:
    if group_by is None:
        return [[row] for row in shuffled(train, seed)]
    groups: dict[str, list[Example]] = {}
    for row in train:
        groups.setdefault(json.dumps(row.metadata.get(group_by), sort_keys=True), []).append(row)
    return [groups[key] for key in sorted(groups, key=lambda key: sha256_text(f"{seed} {key}"))]


def _nearest(sizes: Sequence[int], aim: float) -> int:
    """How many of the first groups have together the number of rows nearest to the aim; of two as near, the larger."""
    best, rows = (aim, 0), 0
    for count, size in enumerate(sizes, 1):
        rows += size
        if abs(rows - aim) <= best[0]:
            best = (abs(rows - aim), count)
    return best[1]
