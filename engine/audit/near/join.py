"""The exact near-duplicate join: every pair of sets of shingles that have at least a given Jaccard similarity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.settings import MOST_PAIRS
from tuneproof.engine.audit.near.shingles import blocks
from tuneproof.engine.audit.near.sketches import Sketches, lower_bound
from tuneproof.engine.audit.words import spans

BLOCK_CANDIDATES = 1 << 20
"""Candidate pairs that are filtered at once, which bounds the memory."""
BLOCK_POSTINGS = 1 << 20
"""Occurrences of rare shingles whose sets are paired at once."""

Similarity = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]
"""The true Jaccard similarities of pairs of sets, given by their numbers."""
OnShare = Callable[[float], None]
"""Called with the part of the work that is done, from 0 to 1."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of sets, left before right, their Jaccard similarity (each of shape (pairs)), and whether these are all pairs."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]
    complete: bool = True


def join(
    sketches: Sketches, sets: NDArray[np.int64], similarity: Similarity, at_least: float, on_share: OnShare = lambda share: None
) -> Pairs:
    """All pairs of the given sets with a Jaccard similarity of at least this much, in the order of left, then right.

    Complete and verified: prefix, length and positional filters (Xiao, Wang, Lin and Yu 2008, "Efficient similarity joins for
    near duplicate detection", algorithm 3; the shorter prefix of the smaller set is their section 3.3), then the size of the
    symmetric difference bounded from below by bit signatures, then the true Jaccard of each pair that is left. `sets` are numbers of
    sketches that were made for this threshold, in rising order; sets must not be empty, and equal ones must be given once. With very
    many rows of one template, pairs grow with their square: past MOST_PAIRS the join stops and is not complete.
    """
    by_size = _BySize.of(sketches, sets, at_least)
    found = _Found()
    candidates = [np.zeros(0, np.int64)]
    for share, block in _candidates(sketches, by_size):
        candidates.append(block)
        on_share(share)
        if sum(map(len, candidates)) > MOST_PAIRS:
            candidates = [np.unique(np.concatenate(candidates))]
            if len(candidates[0]) > MOST_PAIRS:
                found.add(candidates[0], by_size, similarity, at_least)
                candidates = [np.zeros(0, np.int64)]
                if len(found.pairs) > MOST_PAIRS:
                    return found.as_pairs(by_size, complete=False)
    found.add(np.unique(np.concatenate(candidates)), by_size, similarity, at_least)
    return found.as_pairs(by_size, complete=True)


class _Found:
    """The near pairs that have been verified, as positions in the order of size: that of the smaller set in the upper bits."""

    def __init__(self) -> None:
        self.pairs = np.zeros(0, np.int64)
        self._jaccard = np.zeros(0)

    def add(self, candidates: NDArray[np.int64], by_size: _BySize, similarity: Similarity, at_least: float) -> None:
        """Verifies different candidates, and adds those that are near and not yet there."""
        at = np.minimum(np.searchsorted(self.pairs, candidates), max(0, len(self.pairs) - 1))
        new = candidates[self.pairs[at] != candidates] if len(self.pairs) else candidates
        jaccard = similarity(by_size.sets[new >> 32], by_size.sets[new & 0xFFFFFFFF])
        near = jaccard >= at_least
        pairs = np.concatenate([self.pairs, new[near]])
        order = np.argsort(pairs)
        self.pairs, self._jaccard = pairs[order], np.concatenate([self._jaccard, jaccard[near]])[order]

    def as_pairs(self, by_size: _BySize, *, complete: bool) -> Pairs:
        ends = by_size.sets[self.pairs >> 32], by_size.sets[self.pairs & 0xFFFFFFFF]
        left, right = np.minimum(*ends), np.maximum(*ends)
        order = np.lexsort((right, left))
        return Pairs(left[order], right[order], self._jaccard[order], complete)


@dataclass(frozen=True)
class _BySize:
    """Sets in the order of rising size, with the bounds that follow from the threshold."""

    sets: NDArray[np.int64]
    """The number of each set."""
    sizes: NDArray[np.int64]
    signatures: NDArray[np.uint64]
    place: NDArray[np.int32]
    """The position of each sketch in this order; -1 for those that are not joined."""
    at_least: float

    @classmethod
    def of(cls, sketches: Sketches, sets: NDArray[np.int64], at_least: float) -> _BySize:
        ordered = sets[np.argsort(sketches.sizes[sets], kind="stable")]
        place = np.full(len(sketches.sizes), -1, np.int32)
        place[ordered] = np.arange(len(ordered), dtype=np.int32)
        return cls(ordered, sketches.sizes[ordered].astype(np.int64), sketches.signatures[:, ordered], place, at_least)

    @cached_property
    def overlap_of_sum(self) -> NDArray[np.int64]:
        """The fewest shingles that two near sets share, by the sum of their sizes."""
        sums = np.arange(2 * int(self.sizes.max(initial=0)) + 1)
        return lower_bound(sums, self.at_least / (1 + self.at_least))

    def alike(self, small: NDArray[np.int64], large: NDArray[np.int64], needed: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these pairs may share as many shingles as needed, by their signatures: two sets differ in no fewer shingles than bits."""
        differ = np.zeros(len(small), np.int64)
        for signature in self.signatures:
            differ += np.bitwise_count(signature[small] ^ signature[large])
        return differ <= self.sizes[small] + self.sizes[large] - 2 * needed


def _candidates(sketches: Sketches, by_size: _BySize) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Pairs of a set and one that is not smaller that pass every filter, in blocks, each with the part of the work that is done by then.

    The rare shingles are taken by ranges of their hashes, so that few postings are in memory at once.
    """
    parts = -(-len(sketches.rarest) // BLOCK_POSTINGS)
    for part in range(parts):
        low, high = (part << 32) // parts, (part + 1 << 32) // parts
        at = np.flatnonzero((sketches.rarest >= low) & (sketches.rarest <= high - 1))
        for share, block in _Postings(sketches, by_size, at).candidates():
            yield (part + share) / parts, block


class _Postings:
    """For each of some rare shingles, the sets that have it among their rarest: only those can be near one another."""

    def __init__(self, sketches: Sketches, by_size: _BySize, at: NDArray[np.int64]) -> None:
        self.by_size = by_size
        number = np.searchsorted(sketches.starts, at, side="right") - 1
        there = by_size.place[number] >= 0
        at, number = at[there], number[there]
        left_over = sketches.sizes[number] - (at - sketches.starts[number])
        keys = sketches.rarest[at].astype(np.uint64) << np.uint64(32) | by_size.place[number].astype(np.uint64)
        order = np.argsort(keys)
        keys = keys[order]
        shingles = keys >> np.uint64(32)
        same = shingles[1:] == shingles[:-1]
        shared = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False)) if len(keys) else np.zeros(0, np.int64)
        self.keys = keys[shared]
        self.rows = (self.keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
        self.left_over = left_over[order[shared]]
        """How many shingles of its set are at this position or after it."""
        self.small = np.flatnonzero(self.left_over >= by_size.overlap_of_sum[2 * by_size.sizes[self.rows]])

    def candidates(self) -> Iterator[tuple[float, NDArray[np.int64]]]:
        """Pairs that pass every filter, in blocks, each pair once a block and with the smaller set in the upper bits."""
        sizes, needed_of = self.by_size.sizes, self.by_size.overlap_of_sum
        low, count = self._partners()
        for first, last in blocks(count, BLOCK_CANDIDATES):
            partners = self.small[spans(low[first:last], count[first:last])]
            probes = np.repeat(np.arange(first, last), count[first:last])
            small, large = self.rows[partners], self.rows[probes]
            needed = needed_of[sizes[small] + sizes[large]]
            open_ = np.flatnonzero(np.minimum(self.left_over[partners], self.left_over[probes]) >= needed)
            small, large = small[open_], large[open_]
            alike = self.by_size.alike(small, large, needed[open_])
            yield last / len(count), np.unique(small[alike] << 32 | large[alike])

    def _partners(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each posting, where the smaller sets begin that are large enough for it, and how many there are."""
        sizes, keys = self.by_size.sizes, self.keys[self.small]
        smallest = np.searchsorted(sizes, lower_bound(sizes, self.by_size.at_least))
        low = np.searchsorted(keys, self.keys & np.uint64(0xFFFFFFFF << 32) | smallest[self.rows].astype(np.uint64))
        high = np.searchsorted(keys, self.keys)
        return low, np.maximum(high - low, 0)
