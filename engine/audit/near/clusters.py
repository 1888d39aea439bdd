"""Near rows from the pairs of the join: how many pairs, which rows to drop, and which rows are near to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.exact_sets import ExactSets
from tuneproof.engine.audit.near.join import Pairs, join
from tuneproof.engine.audit.near.settings import LEAST_JACCARD, OnRows, Shingle
from tuneproof.engine.audit.near.sketches import sketch


@dataclass(frozen=True, slots=True)
class NearRow:
    """A row, a row that it is near to, and the Jaccard similarity of the two."""

    row: int
    of: int
    jaccard: float


@dataclass(frozen=True, slots=True)
class Dropped(NearRow):
    """A row to drop. `of` is the row of its cluster that is kept, if the two are near, and otherwise the nearest row of the cluster."""

    kept: int
    """The first row of the cluster, which is kept."""


@dataclass(frozen=True)
class NearRows:
    """Rows by their sets of shingles, and the pairs of sets that are near. Rows with equal sets are near, and never paired one by one.

    If `pairs.complete` is false, there are more near rows than these.
    """

    set_of: NDArray[np.int64]
    """The number of the set of each row, shape (rows); sets are numbered in the order of their first rows."""
    pairs: Pairs
    """The near pairs of sets."""

    def take(self, rows: Sequence[int]) -> NearRows:
        """The near rows among these rows, given in rising order; they are renumbered."""
        sets, first, own = np.unique(self.set_of[np.asarray(rows, np.int64)], return_index=True, return_inverse=True)
        number = np.empty(len(sets), np.int64)
        number[np.argsort(first)] = np.arange(len(sets))
        renamed = np.full(int(self.set_of.max(initial=-1)) + 1, -1)
        renamed[sets] = number
        pairs = self._among(renamed >= 0)
        left, right = renamed[pairs.left], renamed[pairs.right]
        return NearRows(number[own], Pairs(np.minimum(left, right), np.maximum(left, right), pairs.jaccard, pairs.complete))

    def without_pairs_inside(self, groups: NDArray[np.int64]) -> NearRows:
        """The near rows without pairs of one group; `groups` numbers the group of each row from 0, or is -1 for a row of none."""
        sets = int(self.set_of.max(initial=-1)) + 1
        least, most = np.full(sets, np.iinfo(np.int64).max), np.full(sets, -1)
        np.minimum.at(least, self.set_of, groups)
        np.maximum.at(most, self.set_of, groups)
        left, right = self.pairs.left, self.pairs.right
        inside = (least[left] >= 0) & (least[left] == most[left]) & (least[left] == least[right]) & (least[right] == most[right])
        return NearRows(self.set_of, Pairs(left[~inside], right[~inside], self.pairs.jaccard[~inside], self.pairs.complete))

    def pair_count(self, rows: int | None = None) -> int:
        """The number of near pairs among the first rows, or among all; rows with equal sets count."""
        sizes = self._set_sizes(0, len(self.set_of) if rows is None else rows)
        return int((sizes * (sizes - 1) // 2).sum() + (sizes[self.pairs.left] * sizes[self.pairs.right]).sum())

    def dropped(self, rows: int | None = None) -> list[Dropped]:
        """The rows to drop, of the first rows or of all, so that no near pair is left; the first row of each cluster stays.

        A cluster is a connected component: its rows are near to others of it, not each to each.
        """
        end = len(self.set_of) if rows is None else rows
        pairs = self._among(self._set_sizes(0, end) > 0)
        first = self._first_rows(0, end)
        kept = first[_components(len(first), pairs)[self.set_of[:end]]]
        near, jaccard = _nearest(len(first), pairs, first)
        to_kept = first[pairs.left] == kept[first[pairs.right]]
        near[pairs.right[to_kept]], jaccard[pairs.right[to_kept]] = pairs.left[to_kept], pairs.jaccard[to_kept]
        own = self.set_of[:end]
        row = np.arange(end)
        # An equal row is a better match than the nearest other one, unless that is the kept row.
        copy = (row != first[own]) & ((kept == first[own]) | (near[own] < 0) | (first[near[own]] != kept))
        of = np.where(copy, first[own], first[near[own]])
        similar = np.where(copy, 1.0, jaccard[own])
        gone = np.flatnonzero(row != kept)
        return [Dropped(*of_row) for of_row in zip(*(each[gone].tolist() for each in (row, of, similar, kept)), strict=True)]

    def nearest(self, rows: range, among: range) -> list[NearRow]:
        """The rows of one range that have a near row in another range, each with the nearest one, or the first of several.

        The two ranges must not overlap.
        """
        first = self._first_rows(among.start, among.stop)
        near, jaccard = _nearest(len(first), self.pairs, first)
        there = np.flatnonzero(self._set_sizes(among.start, among.stop))
        near[there], jaccard[there] = there, 1.0
        own = self.set_of[rows.start : rows.stop]
        found = np.flatnonzero(near[own] >= 0)
        of = first[near[own[found]]]
        return [NearRow(*each) for each in zip((found + rows.start).tolist(), of.tolist(), jaccard[own[found]].tolist(), strict=True)]

    def conflicts(self, outputs: Sequence[str]) -> list[NearRow]:
        """Near pairs with different outputs, the later row first; `outputs` are those of the first rows.

        If rows with equal sets have several outputs, each output is paired once with an earlier row of another output. A set with one
        output is paired with the nearest set that has another. So there are never more pairs than rows.
        """
        numbering: dict[str, int] = {}
        output = np.fromiter((numbering.setdefault(text, len(numbering)) for text in outputs), np.int64, len(outputs))
        own, one = self.set_of[: len(outputs)], self._first_rows(0, len(outputs))
        differs = np.flatnonzero(output != output[one[own]])
        _, at = np.unique(own[differs] * len(numbering) + output[differs], return_index=True)
        inside = np.sort(differs[at])
        other = np.full(len(one), -1)
        other[own[inside[::-1]]] = inside[::-1]

        source, target, jaccard = _both_ways(self._among(one >= 0))
        of = np.where(output[one[target]] != output[one[source]], one[target], other[target])
        open_ = (other[source] < 0) & (of >= 0)
        source, of, jaccard = source[open_], of[open_], jaccard[open_]
        best = _best(source, of, jaccard)

        left = np.concatenate([inside, one[source[best]]])
        right = np.concatenate([one[own[inside]], of[best]])
        similar = np.concatenate([np.ones(len(inside)), jaccard[best]])
        later, earlier = np.maximum(left, right), np.minimum(left, right)
        _, once = np.unique(later << 32 | earlier, return_index=True)
        return [NearRow(*each) for each in zip(*(part[once].tolist() for part in (later, earlier, similar)), strict=True)]

    def _set_sizes(self, start: int, end: int) -> NDArray[np.int64]:
        """How many of these rows have each set, shape (sets)."""
        return np.bincount(self.set_of[start:end], minlength=int(self.set_of.max(initial=-1)) + 1)

    def _first_rows(self, start: int, end: int) -> NDArray[np.int64]:
        """The first of these rows that has each set, shape (sets); -1 for a set that none has."""
        first = np.full(int(self.set_of.max(initial=-1)) + 1, -1)
        sets, at = np.unique(self.set_of[start:end], return_index=True)
        first[sets] = at + start
        return first

    def _among(self, there: NDArray[np.bool_]) -> Pairs:
        """The pairs of which both sets are present."""
        both = there[self.pairs.left] & there[self.pairs.right]
        return Pairs(self.pairs.left[both], self.pairs.right[both], self.pairs.jaccard[both], self.pairs.complete)


def near_rows(texts: Sequence[str], shingle: Shingle, at_least: float = LEAST_JACCARD, on_rows: OnRows | None = None) -> NearRows:
    """The near-duplicate join over rows, given by their texts under `norm`. Complete, and every pair is verified.

    The texts are read several times, so that they need not be held. `on_rows` is called as pairs are compared. Raises ValueError for a
    threshold outside (0, 1].
    """
    if not 0 < at_least <= 1:
        raise ValueError(f"a Jaccard threshold must be above 0 and at most 1, not {at_least}")
    count = len(texts)
    sketches = sketch(texts, shingle, at_least)
    sets = ExactSets(texts, shingle, sketches.sizes)
    first = sets.first_equal(sketches.fingerprints)
    distinct = np.unique(first)
    report = (lambda share: on_rows(int(share * count), count)) if on_rows else (lambda share: None)
    pairs = join(sketches, distinct, sets.similarity, at_least, report)
    left, right = np.searchsorted(distinct, pairs.left), np.searchsorted(distinct, pairs.right)
    return NearRows(np.searchsorted(distinct, first), Pairs(left, right, pairs.jaccard, pairs.complete))


def _components(count: int, pairs: Pairs) -> NDArray[np.int64]:
    """For each set the first set of its connected component."""
    root = np.arange(count)
    while True:
        left, right = root[pairs.left], root[pairs.right]
        if (left == right).all():
            return root
        np.minimum.at(root, np.maximum(left, right), np.minimum(left, right))
        while (root[root] != root).any():
            root = root[root]


def _nearest(count: int, pairs: Pairs, first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each set the nearest of the sets that have a first row, or -1, and the similarity; of several the one whose row comes first."""
    source, target, jaccard = _both_ways(pairs)
    there = first[target] >= 0
    source, target, jaccard = source[there], target[there], jaccard[there]
    best = _best(source, first[target], jaccard)
    near, similar = np.full(count, -1), np.zeros(count)
    near[source[best]], similar[source[best]] = target[best], jaccard[best]
    return near, similar


def _both_ways(pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Each pair from left to right and from right to left."""
    return (
        np.concatenate([pairs.left, pairs.right]),
        np.concatenate([pairs.right, pairs.left]),
        np.concatenate([pairs.jaccard, pairs.jaccard]),
    )


def _best(source: NDArray[np.int64], row: NDArray[np.int64], jaccard: NDArray[np.float64]) -> NDArray[np.int64]:
    """The index of the most similar row of each source, the first of several."""
    order = np.lexsort((row, -jaccard, source))
    return order[np.flatnonzero(np.diff(source[order], prepend=-1))]
