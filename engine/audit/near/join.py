"""The exact near-duplicate join: every pair of texts whose sets of shingles have at least a given Jaccard similarity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.settings import LEAST_JACCARD, MOST_PAIRS
from tuneproof.engine.audit.near.shingles import ShingleSets, blocks, spans

BLOCK_CANDIDATES = 1 << 21
"""Candidate pairs that are filtered at once, which bounds the memory."""
BLOCK_SHINGLES = 1 << 22
"""Shingles that are compared at once."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Pairs:
    """Pairs of sets, left before right, their Jaccard similarity (each of shape (pairs)), and whether these are all pairs."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]
    complete: bool = True


def join(sets: ShingleSets, at_least: float = LEAST_JACCARD) -> Pairs:
    """All pairs of sets with a Jaccard similarity of at least this much, in the order of left, then right.

    Complete and verified: prefix, length and positional filters (Xiao, Wang, Lin and Yu 2008, "Efficient similarity joins for
    near duplicate detection", algorithm 3; the shorter prefix of the smaller set is their section 3.3), then the size of the
    symmetric difference bounded from below by bit signatures, then the true Jaccard. Sets must not be empty; give equal sets once.
    With very many rows of one template, pairs grow with their square: past MOST_PAIRS the join stops and is not complete.
    Raises ValueError for a threshold outside (0, 1].
    """
    if not 0 < at_least <= 1:
        raise ValueError(f"a Jaccard threshold must be above 0 and at most 1, not {at_least}")
    order = np.argsort(sets.sizes, kind="stable")
    by_size = _BySize(sets.take(order), at_least)
    found, more, complete = np.zeros((3, 0)), [np.zeros((3, 0))], True
    for small, large in _Postings(by_size).candidates():
        common = by_size.common(small, large)
        jaccard = common / (by_size.sizes[small] + by_size.sizes[large] - common)
        near = jaccard >= at_least
        ends = order[small[near]], order[large[near]]
        more.append(np.stack([np.minimum(*ends), np.maximum(*ends), jaccard[near]]))
        if sum(each.shape[1] for each in more) > MOST_PAIRS:
            found, more = _once([found, *more]), []
            if found.shape[1] > MOST_PAIRS:
                complete = False
                break
    left, right, similar = _once([found, *more])
    return Pairs(left.astype(np.int64), right.astype(np.int64), similar, complete)


def _once(found: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Pairs in their order, each once: a pair that shares several rare shingles can occur in several blocks."""
    pairs = np.concatenate(found, axis=1)
    left, right = pairs[:2].astype(np.int64)
    _, once = np.unique(left << 32 | right, return_index=True)
    return pairs[:, once]


@dataclass(frozen=True)
class _BySize:
    """Sets in the order of rising size, with the bounds that follow from the threshold."""

    sets: ShingleSets
    at_least: float

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        return self.sets.sizes

    @cached_property
    def overlap_of_sum(self) -> NDArray[np.int64]:
        """The fewest shingles that two near sets share, by the sum of their sizes."""
        sums = np.arange(2 * int(self.sizes.max(initial=0)) + 1)
        return lower_bound(sums, self.at_least / (1 + self.at_least))

    @cached_property
    def signatures(self) -> list[NDArray[np.uint64]]:
        """Bit signatures of the sets: each bit is the parity of the number of shingles that map to it.

        Two sets differ in at least as many shingles as bits, so a pair whose bits differ too much need not be compared.
        """
        words = max(1, round(self.sets.shingles.size / max(1, len(self.sizes)) / 64))
        signatures = [np.zeros(len(self.sizes), np.uint64) for _ in range(words)]
        for at, part in self.sets.parts():
            mixed = part.shingles.astype(np.uint64) * _GOLDEN
            bit = np.uint64(1) << (mixed >> np.uint64(58))
            word = (mixed >> np.uint64(32) & np.uint64(0xFFFFFF)) % np.uint64(words)
            for number, signature in enumerate(signatures):
                signature[at] = np.bitwise_xor.reduceat(np.where(word == number, bit, np.uint64(0)), part.starts[:-1])
        return signatures

    def alike(self, small: NDArray[np.int64], large: NDArray[np.int64], needed: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these pairs may share as many shingles as needed, by their signatures."""
        differ = np.zeros(len(small), np.int64)
        for signature in self.signatures:
            differ += np.bitwise_count(signature[small] ^ signature[large])
        return differ <= self.sizes[small] + self.sizes[large] - 2 * needed

    def common(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many shingles the two sets of each pair share."""
        counts = np.zeros(len(left), np.int64)
        for first, last in blocks(self.sizes[left] + self.sizes[right], BLOCK_SHINGLES):
            cells = np.concatenate([self._cells(left[first:last]), self._cells(right[first:last])])
            # Both halves are sorted, and a stable sort merges them in linear time.
            cells.sort(kind="stable")
            both = cells[1:][cells[1:] == cells[:-1]] >> 32
            counts[first:last] = np.bincount(both, minlength=last - first)
        return counts

    def _cells(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        sizes = self.sizes[rows]
        return np.repeat(np.arange(len(rows)) << 32, sizes) | self.sets.shingles[spans(self.sets.starts[rows], sizes)]


class _Postings:
    """For each shingle, the sets that have it among their rarest: only those can be near one another."""

    def __init__(self, by_size: _BySize) -> None:
        self.by_size = by_size
        sizes = by_size.sizes
        prefix = sizes - lower_bound(sizes, by_size.at_least) + 1
        at = spans(by_size.sets.starts[:-1], prefix)
        shingles = by_size.sets.shingles[at]
        shared = np.flatnonzero(np.bincount(shingles)[shingles] > 1) if len(shingles) else np.zeros(0, np.int64)
        rows = np.repeat(np.arange(len(sizes)), prefix)[shared]
        keys = shingles[shared].astype(np.int64) << 32 | rows
        order = np.argsort(keys, kind="stable")
        self.keys, self.rows = keys[order], rows[order]
        self.left_over = (sizes[rows] - at[shared] + by_size.sets.starts[rows])[order]
        """How many shingles of its set are at this position or after it."""
        self.small = np.flatnonzero(self.left_over >= by_size.overlap_of_sum[2 * sizes[self.rows]])

    def candidates(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Pairs of a set and one that is not smaller that pass every filter, in blocks, each pair once a block."""
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
            pairs = np.unique(small[alike] << 32 | large[alike])
            yield pairs >> 32, pairs & 0xFFFFFFFF

    def _partners(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each posting, where the smaller sets begin that are large enough for it, and how many there are."""
        sizes, keys = self.by_size.sizes, self.keys[self.small]
        smallest = np.searchsorted(sizes, lower_bound(sizes, self.by_size.at_least))
        low = np.searchsorted(keys, self.keys & ~0xFFFFFFFF | smallest[self.rows])
        high = np.searchsorted(keys, self.keys)
        return low, np.maximum(high - low, 0)


def lower_bound(sizes: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """The smallest whole numbers that are not below a share of the sizes; rounding may make one too small, never too large."""
    bound: NDArray[np.int64] = np.ceil(sizes * share - 1e-6).astype(np.int64)
    return bound
