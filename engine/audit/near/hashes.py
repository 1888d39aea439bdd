"""Texts as hashes of their shingles, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.digests import text_digest
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.words import codes_of, mixed, spans, word_hashes

_PADDING = np.uint64(0x243F6A8885A308D3)
"""In place of the words or characters that a text has too few of for one shingle."""
_WIDENING = 1.25
"""Texts are sorted together if their numbers of shingles differ by less than this factor."""


def shingle_hashes(texts: Sequence[str], shingle: Shingle) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes of the shingles of texts under `norm`, in their order and as often as they occur, and how many each text has.

    A text shorter than one shingle has itself as its only shingle, and a text without words is one word. Two of a hundred million
    different shingles have the same hash with a chance of 3 in 10,000.
    """
    symbols, lengths = _words_or_text(texts) if shingle is Shingle.W3 else _characters(texts)
    symbols, lengths = _padded(symbols, lengths, shingle.width)
    found = symbols[: len(symbols) - shingle.width + 1]
    for offset in range(1, shingle.width):
        found = mixed(found) ^ symbols[offset : offset + len(found)]
    # What begins with the last symbols of a text would reach into the next text.
    whole = np.ones(len(symbols), np.bool_)
    ends = np.cumsum(lengths)
    for back in range(1, shingle.width):
        whole[ends - back] = False
    return mixed(found[whole[: len(found)]]), lengths - shingle.width + 1


def sorted_sets(numbers: NDArray[np.uint64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The numbers of each text in rising order and each once, one text after the other, and how many each text has."""
    starts = np.cumsum(lengths) - lengths
    sizes, classes = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    several = lengths > 0
    classes[several] = np.log(lengths[several]) / np.log(_WIDENING)
    parts: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []
    for number in np.unique(classes):
        rows = np.flatnonzero((classes == number) & several)
        # Sorting the rows of a matrix is many times faster than sorting positions, and texts of one length class fill most of it.
        columns = np.arange(int(lengths[rows].max(initial=0)))
        there = columns < lengths[rows, None]
        matrix = np.full(there.shape, np.iinfo(np.uint64).max)
        matrix[there] = numbers[spans(starts[rows], lengths[rows])]
        matrix.sort(axis=1)
        there[:, 1:] &= matrix[:, 1:] != matrix[:, :-1]
        sizes[rows] = np.count_nonzero(there, axis=1)
        parts.append((rows, matrix[there]))
    ends = np.cumsum(sizes)
    found = np.empty(ends[-1] if len(ends) else 0, np.uint64)
    for rows, kept in parts:
        found[spans(ends[rows] - sizes[rows], sizes[rows])] = kept
    return found, sizes


def _words_or_text(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """As `word_hashes`, with a text without words as its only word."""
    hashes, lengths = word_hashes(texts)
    without = np.flatnonzero(lengths == 0)
    if len(without):
        alone = np.fromiter((text_digest(texts[at]) for at in without.tolist()), np.uint64, len(without))
        hashes = np.insert(hashes, np.cumsum(lengths)[without], alone)
        lengths[without] = 1
    return hashes, lengths


def _characters(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes of the characters of all texts, and how many each text has."""
    return mixed(codes_of("".join(texts)).astype(np.uint64)), np.fromiter(map(len, texts), np.int64, len(texts))


def _padded(symbols: NDArray[np.uint64], lengths: NDArray[np.int64], width: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Texts shorter than one shingle, padded."""
    missing = np.maximum(width - lengths, 0)
    if missing.any():
        symbols = np.insert(symbols, np.repeat(np.cumsum(lengths), missing), _PADDING)
    return symbols, lengths + missing
