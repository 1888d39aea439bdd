"""A quarter and half of train for the learning curve; the rows of the smaller share are also in the larger one."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.core.hashing import sha256_data, sha256_text
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.groups import alone, group_of
from tuneproof.engine.data.split import shuffled

SHARES = (25, 50)
"""The shares of train that the learning curve trains on besides the whole, in per cent: each is half of the next."""

TOLERANCE = 0.05
"""How far a share may be off, as a fraction of train: if more, the next share would not have about twice as many rows."""


def nested_subsets(train: Sequence[Example], seed: int, group_by: str | None = None) -> dict[int, list[Example]]:
    """The rows of each share, by the share in per cent, in the order of train.

    They depend on the seed and on the rows' content, not on their order in the file. Rows of one group stay together: new labels would
    bring new groups too, and a share with a few rows of every group would look as good as the whole. A share is missing if rows are too few
    or groups too large to cut it to within `TOLERANCE`.
    """
    groups = _shuffled_groups(train, seed, group_by)
    subsets: dict[int, list[Example]] = {}
    for share in SHARES:
        aim = len(train) * share / 100
        count = _groups_to_take([len(group) for group in groups], aim)
        chosen = {id(row) for group in groups[:count] for row in group}
        if chosen and abs(len(chosen) - aim) <= TOLERANCE * len(train):
            subsets[share] = [row for row in train if id(row) in chosen]
    return subsets


def missing_labels(rows: Sequence[Example], train: Sequence[Example]) -> list[str]:
    """The outputs of train that do not occur in some of its rows, sorted."""
    return sorted({row.output.strip() for row in train} - {row.output.strip() for row in rows})


def rows_digest(rows: Sequence[Example]) -> str:
    """The digest of the content of the rows, in their order."""
    return sha256_data([row.content_hash for row in rows])


def _shuffled_groups(train: Sequence[Example], seed: int, group_by: str | None) -> list[list[Example]]:
    if group_by is None:
        return [[row] for row in shuffled(train, seed)]
    groups: dict[str, list[Example]] = {}
    for row in train:
        groups.setdefault((group_of(row, group_by) or alone(row)).removeprefix("group "), []).append(row)
    return [groups[key] for key in sorted(groups, key=lambda key: sha256_text(f"{seed} {key}"))]


def _groups_to_take(sizes: Sequence[int], aim: float) -> int:
    """How many of the first groups to take for a number of rows as near as possible to the aim; the larger number if two are as near."""
    best, rows = (aim, 0), 0
    for count, size in enumerate(sizes, 1):
        rows += size
        if abs(rows - aim) <= best[0]:
            best = (abs(rows - aim), count)
    return best[1]
