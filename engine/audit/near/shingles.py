"""Texts as sets of shingles: runs of words or characters, as integers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.digests import text_digest
from tuneproof.engine.audit.near.settings import Shingle

_WORD = re.compile(r"\w+")
LARGEST_KEY = 2**63 - 1
"""The largest key of a shingle; with more kinds of words or characters, several share one digit."""
BLOCK_TEXTS = 1 << 14
"""Texts that are split into words or characters at once."""
BLOCK_SYMBOLS = 1 << 21
"""Words, characters or shingles that are processed at once, which bounds the memory."""
PENDING_KEYS = 1 << 22
"""Keys that are collected before they are merged into the vocabulary."""
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class ShingleSets:
    """One set of shingles a text, as rows of a sparse matrix.

    A text that is shorter than one shingle has itself as its only shingle. Equal numbers are equal shingles: nothing is hashed.
    """

    starts: NDArray[np.int64]
    """Where the shingles of each text begin, and where the last ends, shape (texts + 1)."""
    shingles: NDArray[np.int32]
    """The shingles of all texts, rising within a text; rarer shingles have smaller numbers."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of shingles of each text, shape (texts)."""
        return np.diff(self.starts)

    def take(self, rows: NDArray[np.int64]) -> ShingleSets:
        """The sets of these rows, in this order."""
        sizes = self.sizes[rows]
        starts = _starts(sizes)
        taken = np.empty(starts[-1], np.int32)
        for first, last in blocks(sizes, BLOCK_SYMBOLS):
            taken[starts[first] : starts[last]] = self.shingles[spans(self.starts[rows[first:last]], sizes[first:last])]
        return ShingleSets(starts, taken)

    def parts(self) -> Iterator[tuple[slice, ShingleSets]]:
        """Blocks of whole sets, and their positions."""
        for first, last in blocks(self.sizes, BLOCK_SYMBOLS):
            starts = self.starts[first : last + 1]
            yield slice(first, last), ShingleSets(starts - starts[0], self.shingles[starts[0] : starts[-1]])

    def first_equal(self) -> NDArray[np.int64]:
        """For each set the first set that equals it, shape (texts): found by fingerprints, and verified by comparing the shingles."""
        fingerprints = np.concatenate([np.zeros(0, np.uint64), *(set_fingerprints(part) for _, part in self.parts())])
        first, open_ = np.arange(len(self.sizes)), np.arange(len(self.sizes))
        while open_.size:
            _, at, group = np.unique(fingerprints[open_], return_index=True, return_inverse=True)
            earliest = open_[at][group]
            equal = self._equal(earliest, open_)
            first[open_[equal]] = earliest[equal]
            open_ = open_[~equal]
        return first

    def _equal(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        sizes = self.sizes
        equal: NDArray[np.bool_] = sizes[left] == sizes[right]
        compared = np.flatnonzero(equal & (left != right))
        for first, last in blocks(sizes[left[compared]], BLOCK_SYMBOLS):
            part = compared[first:last]
            size = sizes[left[part]]
            same = self.shingles[spans(self.starts[left[part]], size)] == self.shingles[spans(self.starts[right[part]], size)]
            equal[part] = np.logical_and.reduceat(same, np.cumsum(size) - size)
        return equal


def shingle_sets(texts: Sequence[str], shingle: Shingle) -> ShingleSets:
    """The sets of texts that are already under `norm`; words are matches of `\\w+`."""
    symbols, lengths = _words(texts, _Numbering()) if shingle is Shingle.W3 else _characters(texts)
    text_symbols = _TextSymbols(*_padded(symbols, lengths, shingle.width), shingle.width)
    del symbols
    keys, rank = _vocabulary(text_symbols)
    sizes, shingles = [], []
    for block, lengths in text_symbols.blocks():
        size, kept = _distinct(_ranks(block, keys, rank), lengths)
        sizes.append(size)
        shingles.append(kept)
    return ShingleSets(_starts(np.concatenate([np.zeros(0, np.int64), *sizes])), np.concatenate([np.zeros(0, np.int32), *shingles]))


def shingle_digests(texts: Sequence[str], shingle: Shingle) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The same sets as 64-bit digests, which are the same on every machine: the size of each set, and the shingles in rising order.

    Two of a hundred million different shingles have the same digest with a chance of 3 in 10,000.
    """
    if shingle is Shingle.W3:
        numbering = _Numbering()
        symbols, lengths = _words(texts, numbering)
        digests = np.fromiter(chain((0,), map(text_digest, numbering)), np.uint64, len(numbering) + 1)
    else:
        symbols = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.int32) + 1
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        digests = _mixed(np.arange(int(symbols.max(initial=0)) + 1).astype(np.uint64))
    symbols, lengths = _padded(symbols, lengths, shingle.width)
    starts = _starts(lengths)
    sizes, found = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for first, last in blocks(lengths, BLOCK_SYMBOLS):
        part = digests[symbols[starts[first] : starts[last]]]
        count = lengths[first:last] - shingle.width + 1
        at = spans(starts[first:last] - starts[first], count)
        shingles = part[at]
        for offset in range(1, shingle.width):
            shingles = _mixed(shingles) ^ part[at + offset]
        rows, shingles = np.repeat(np.arange(last - first), count), _mixed(shingles)
        order = np.lexsort((shingles, rows))
        rows, shingles = rows[order], shingles[order]
        new = np.flatnonzero((np.diff(rows, prepend=-1) != 0) | (np.diff(shingles, prepend=shingles[:1]) != 0))
        sizes.append(np.bincount(rows[new], minlength=last - first))
        found.append(shingles[new])
    return np.concatenate(sizes), np.concatenate(found)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers of which every bit depends on every bit of the given ones (the finisher of splitmix64, Steele, Lea and Flood 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return mixed ^ mixed >> np.uint64(31)


def spans(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The positions start, start + 1, ... of several spans, one span after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)


def blocks(sizes: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Consecutive items, as first and end, whose sizes add up to about `most`, or single larger items."""
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(ends, np.arange(most, ends[-1] if len(ends) else 0, most)) + 1
    yield from pairwise(np.unique([0, *cuts, len(ends)]).tolist())


@dataclass(frozen=True)
class _TextSymbols:
    """Texts as the numbers of their words or characters, from which shingles are made block by block, each as one integer."""

    symbols: NDArray[np.int32]
    lengths: NDArray[np.int64]
    width: int

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The shingles of some whole texts, and how many each text has."""
        head, span, tail = self._columns()
        starts = _starts(self.lengths)
        for first, last in blocks(self.lengths, BLOCK_SYMBOLS):
            begin, end = starts[first], starts[last]
            key = head[begin : end - self.width + 1].astype(np.int64)
            for column in tail:
                key = key * span + column[begin : begin + len(key)]
            lengths = self.lengths[first:last]
            whole = np.ones(end - begin, np.bool_)
            ends = np.cumsum(lengths)
            for back in range(1, self.width):
                whole[ends - back] = False
            yield key[whole[: len(key)]], lengths - self.width + 1

    def _columns(self) -> tuple[NDArray[np.int32], int, list[NDArray[np.int32]]]:
        """The digits of the key of a shingle: its words or characters, with all but the last in one digit if there are too many kinds."""
        span = int(self.symbols.max(initial=0)) + 1
        if span**self.width <= LARGEST_KEY:
            return self.symbols, span, [self.symbols[at:] for at in range(1, self.width)]
        head, reach = self.symbols, 1
        while 2 * reach < self.width:
            pairs = head[:-reach].astype(np.int64) * (int(head.max()) + 1) + head[reach:]
            head = np.unique(pairs, return_inverse=True)[1].astype(np.int32)
            reach *= 2
        return head, span, [self.symbols[reach:]]


def _vocabulary(texts: _TextSymbols) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """All shingles in the order of their keys, and the rank of each in the order of rising frequency."""
    known, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    pending: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for block, _ in texts.blocks():
        pending.append(np.unique(block, return_counts=True))
        if sum(len(keys) for keys, _ in pending) > max(PENDING_KEYS, len(known)):
            known, counts = _merged([(known, counts), *pending])
            pending = []
    known, counts = _merged([(known, counts), *pending])
    rank = np.empty(len(known), np.int32)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(known), dtype=np.int32)
    return known, rank


def _merged(parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keys = np.concatenate([keys for keys, _ in parts])
    counts = np.concatenate([counts for _, counts in parts])
    # The parts are sorted, and a stable sort merges them in linear time.
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[first], np.add.reduceat(counts[order], first) if len(first) else counts


def _ranks(block: NDArray[np.int64], keys: NDArray[np.int64], rank: NDArray[np.int32]) -> NDArray[np.int32]:
    """The rank of each shingle by its key: the keys are looked up in their own order, which is many times faster."""
    bits = len(block).bit_length()
    if int(block.max()) < LARGEST_KEY >> bits:
        # Sorting numbers is many times faster than sorting positions by them, so each key carries its position.
        both = np.sort(block << bits | np.arange(len(block)))
        places, ordered = both & (1 << bits) - 1, both >> bits
    else:
        places = np.argsort(block)
        ordered = block[places]
    first = np.diff(ordered, prepend=-1) != 0
    found = rank[np.searchsorted(keys, ordered[first])]
    ranks = np.empty(len(block), np.int32)
    ranks[places] = found[np.cumsum(first) - 1]
    return ranks


def set_fingerprints(sets: ShingleSets) -> NDArray[np.uint64]:
    """One number a set, equal for equal sets and rarely for others."""
    mixed = (sets.shingles.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(31)) * np.uint64(0xBF58476D1CE4E5B9)
    return np.add.reduceat(mixed, sets.starts[:-1])


def _distinct(numbers: NDArray[np.int32], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The numbers of each text sorted and each once: how many, and the numbers."""
    cells = np.repeat(np.arange(len(lengths)) << 32, lengths) | numbers
    cells.sort()
    cells = cells[np.flatnonzero(np.diff(cells, prepend=-1))]
    return np.bincount(cells >> 32, minlength=len(lengths)), (cells & 0xFFFFFFFF).astype(np.int32)


class _Numbering(dict[str, int]):
    """The numbers of words, from 1, in the order in which they come."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self) + 1
        return number


def _words(texts: Sequence[str], numbering: _Numbering) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The words of all texts as numbers from 1, and how many each text has."""
    symbols, lengths = [np.zeros(0, np.int32)], np.zeros(len(texts), np.int64)
    for first in range(0, len(texts), BLOCK_TEXTS):
        found = [_WORD.findall(text) or [text] for text in texts[first : first + BLOCK_TEXTS]]
        lengths[first : first + len(found)] = [len(words) for words in found]
        symbols.append(np.fromiter(map(numbering.__getitem__, chain.from_iterable(found)), np.int32))
    return np.concatenate(symbols), lengths


def _characters(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The characters of all texts as numbers from 1, and how many each text has."""
    number_of, kinds = np.zeros(_CODE_POINTS, np.int32), 0
    symbols = [np.zeros(0, np.int32)]
    for first in range(0, len(texts), BLOCK_TEXTS):
        # A lone surrogate is a character like any other here.
        joined = "".join(texts[first : first + BLOCK_TEXTS]).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(joined, np.uint32)
        present = np.unique(codes)
        new = present[number_of[present] == 0]
        number_of[new] = np.arange(kinds + 1, kinds + 1 + len(new))
        kinds += len(new)
        symbols.append(number_of[codes])
    return np.concatenate(symbols), np.fromiter(map(len, texts), np.int64, len(texts))


def _padded(symbols: NDArray[np.int32], lengths: NDArray[np.int64], width: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Texts shorter than one shingle, padded with zeros, which are not the number of any word or character."""
    missing = np.maximum(width - lengths, 0)
    if missing.any():
        symbols = np.insert(symbols, np.repeat(np.cumsum(lengths), missing), 0)
    return symbols, lengths + missing


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
