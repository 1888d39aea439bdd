"""The sets of shingles of single texts, compared exactly: what sketches suggest is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.near.shingles import ShingleSets, blocks, shingle_sets, shingles_of
from tuneproof.engine.audit.words import spans

BLOCK_SHINGLES = 1 << 20
"""Shingles that are compared at once, which bounds the memory."""


@dataclass(frozen=True)
class ExactSets:
    """The sets of texts under `norm`, made from the texts when they are compared."""

    texts: Sequence[str]
    shingle: Shingle
    sizes: NDArray[np.int32]
    """About how many shingles each text has, shape (texts)."""

    def first_equal(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """For each set the first set that equals it, shape (texts): found by fingerprints, and verified by comparing texts or shingles."""
        first = np.arange(len(fingerprints))
        order = np.argsort(fingerprints, kind="stable")
        same = np.diff(fingerprints[order]) == 0
        edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]])))
        for begin, end in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            self._set_first(first, order[begin : end + 1].tolist())
        return first

    def similarity(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """The Jaccard similarity of the two sets of each pair, shape (pairs)."""
        # Pairs of one cluster together, so that each text is taken apart about once.
        order = np.argsort(_clusters(len(self.texts), left, right)[left], kind="stable")
        jaccard = np.zeros(len(left))
        for begin, end in blocks(self.sizes[left[order]].astype(np.int64) + self.sizes[right[order]], BLOCK_SHINGLES):
            part = order[begin:end]
            texts, at = np.unique(np.concatenate([left[part], right[part]]), return_inverse=True)
            sets = shingle_sets([self.texts[text] for text in texts.tolist()], self.shingle)
            jaccard[part] = similarity(sets, *np.split(at, 2))
        return jaccard

    def _set_first(self, first: NDArray[np.int64], members: list[int]) -> None:
        """Sets the first equal set of texts whose fingerprints are equal, given in rising order."""
        seen: dict[str, int] = {}
        different: list[tuple[set[object], int]] = []
        for at in members:
            text = self.texts[at]
            if text not in seen:
                own = shingles_of(text, self.shingle)
                seen[text] = next((number for shingles, number in different if shingles == own), at)
                if seen[text] == at:
                    different.append((own, at))
            first[at] = seen[text]


def _clusters(count: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int32]:
    """The connected component of each text, shape (texts)."""
    from scipy import sparse
    from scipy.sparse import csgraph

    links = sparse.coo_matrix((np.ones(len(left), np.bool_), (left, right)), shape=(count, count))
    clusters: NDArray[np.int32] = csgraph.connected_components(links, directed=False)[1]
    return clusters


def similarity(sets: ShingleSets, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Jaccard similarity of the two sets of each pair, shape (pairs)."""
    common, sizes = np.zeros(len(left), np.int64), sets.sizes
    for begin, end in blocks(sizes[left] + sizes[right], BLOCK_SHINGLES):
        cells = np.concatenate([_cells(sets, left[begin:end]), _cells(sets, right[begin:end])])
        # Both halves are sorted, and a stable sort merges them in linear time.
        cells.sort(kind="stable")
        both = cells[1:][cells[1:] == cells[:-1]] >> 32
        common[begin:end] = np.bincount(both, minlength=end - begin)
    jaccard: NDArray[np.float64] = common / (sizes[left] + sizes[right] - common)
    return jaccard


def _cells(sets: ShingleSets, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    sizes = sets.sizes[rows]
    return np.repeat(np.arange(len(rows)) << 32, sizes) | sets.shingles[spans(sets.starts[rows], sizes)]
