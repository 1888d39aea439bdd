"""Turns of one dialogue as rows of their own: each has the turns before it, so that they are always alike and no near duplicates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.clusters import NearRows
from tuneproof.engine.audit.near.join import Pairs
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.example import Example


def without_pairs_of_dialogues(near: NearRows, *parts: Rows) -> NearRows:
    """The near rows without pairs of two turns of one dialogue in the same part. In two parts, such rows are a leak like any other."""
    if not any(example.history for part in parts for example in list.__iter__(part)):
        return near
    rows = [example for part in parts for example in list.__iter__(part)]
    first = _first_rows(near)
    part_of = _parts_of_sets(near, parts)
    pairs = near.pairs
    apart = np.ones(len(pairs.left), np.bool_)
    for at, (left, right) in enumerate(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)):
        if part_of[left] == part_of[right] >= 0:
            one, other = rows[first[left]], rows[first[right]]
            apart[at] = not (continues(one, other) or continues(other, one))
    return NearRows(near.set_of, Pairs(pairs.left[apart], pairs.right[apart], pairs.jaccard[apart], pairs.complete))


def continues(later: Example, earlier: Example) -> bool:
    """Whether a row is a later turn of the dialogue of another: its history has the other's request with its answer, or all its turns."""
    if not later.history:
        return False
    said = [turn.content for turn in later.history]
    if any(asked == earlier.input and answer == earlier.output for asked, answer in pairwise(said)):
        return True
    before = [*(turn.content for turn in earlier.history), earlier.input]
    return len(before) <= len(said) and said[: len(before)] == before


def _first_rows(near: NearRows) -> NDArray[np.int64]:
    """The first row of each set, shape (sets)."""
    return np.unique(near.set_of, return_index=True)[1]


def _parts_of_sets(near: NearRows, parts: tuple[Rows, ...]) -> list[int]:
    """The part that has all rows of each set; -1 for a set with rows in several."""
    own = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    sets = int(near.set_of.max(initial=-1)) + 1
    least, most = np.full(sets, len(parts)), np.full(sets, -1)
    np.minimum.at(least, near.set_of, own)
    np.maximum.at(most, near.set_of, own)
    found: list[int] = np.where(least == most, least, -1).tolist()
    return found
