"""Texts as sets of shingles, runs of words or characters, as integers: exact, for the few texts that are compared with each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.data.spaceless import words_of

LARGEST_KEY = 2**63 - 1
"""The largest key of a shingle; with more kinds of words or characters, several share one digit."""


@dataclass(frozen=True)
class ShingleSets:
    """One set of shingles a text, as rows of a sparse matrix.

    A text that is shorter than one shingle has itself as its only shingle. Equal numbers are equal shingles: nothing is hashed.
    """

    starts: NDArray[np.int64]
    """Where the shingles of each text begin, and where the last ends, shape (texts + 1)."""
    shingles: NDArray[np.int32]
    """The shingles of all texts, rising within a text."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of shingles of each text, shape (texts)."""
        return np.diff(self.starts)


def shingle_sets(texts: Sequence[str], shingle: Shingle) -> ShingleSets:
    """The sets of texts that are already under `norm`."""
    symbols, lengths = _words(texts) if shingle is Shingle.W3 else _characters(texts)
    keys, lengths = _keys(*_padded(symbols, lengths, shingle.width), shingle.width)
    numbers = np.unique(keys, return_inverse=True)[1]
    cells = np.repeat(np.arange(len(lengths)) << 32, lengths) | numbers
    cells.sort()
    cells = cells[np.flatnonzero(np.diff(cells, prepend=-1))]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(cells >> 32, minlength=len(lengths)))])
    return ShingleSets(starts, (cells & 0xFFFFFFFF).astype(np.int32))


def shingles_of(text: str, shingle: Shingle) -> set[object]:
    """The shingles of one text under `norm`."""
    parts = (words_of(text) or [text]) if shingle is Shingle.W3 else text
    return {tuple(parts[at : at + shingle.width]) for at in range(max(1, len(parts) - shingle.width + 1))}


def blocks(sizes: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Consecutive items, as first and end, whose sizes add up to about `most`, or single larger items."""
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(ends, np.arange(most, ends[-1] if len(ends) else 0, most)) + 1
    yield from pairwise(np.unique([0, *cuts, len(ends)]).tolist())


def _keys(symbols: NDArray[np.int32], lengths: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The shingles of texts, each as one integer whose digits are its words or characters, and how many each text has."""
    span = int(symbols.max(initial=0)) + 1
    is_small = span**width <= LARGEST_KEY
    keys = symbols.astype(np.int64)
    for at in range(1, width):
        # With too many kinds of words or characters, all digits but the last are replaced by one.
        head = keys[:-1] if is_small else np.unique(keys[:-1], return_inverse=True)[1]
        keys = head * span + symbols[at:]
    whole = np.ones(len(symbols), np.bool_)
    ends = np.cumsum(lengths)
    for back in range(1, width):
        whole[ends - back] = False
    return keys[whole[: len(keys)]], lengths - width + 1


class _Numbering(dict[str, int]):
    """The numbers of words, from 1, in the order in which they come."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self) + 1
        return number


def _words(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The words of all texts as numbers from 1, and how many each text has."""
    found = [words_of(text) or [text] for text in texts]
    symbols = np.fromiter(map(_Numbering().__getitem__, chain.from_iterable(found)), np.int32)
    return symbols, np.fromiter(map(len, found), np.int64, len(texts))


def _characters(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The characters of all texts as numbers from 1, and how many each text has."""
    # A lone surrogate is a character like any other here.
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return (np.unique(codes, return_inverse=True)[1] + 1).astype(np.int32), np.fromiter(map(len, texts), np.int64, len(texts))


def _padded(symbols: NDArray[np.int32], lengths: NDArray[np.int64], width: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Texts shorter than one shingle, padded with zeros, which are not the number of any word or character."""
    missing = np.maximum(width - lengths, 0)
    if missing.any():
        symbols = np.insert(symbols, np.repeat(np.cumsum(lengths), missing), 0)
    return symbols, lengths + missing
