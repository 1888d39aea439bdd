"""The words of texts as hashes: computed from the characters by NumPy, and the same on every machine.

In a text in a script without spaces every character is a word (`engine.data.spaceless`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.data.spaceless import SPACELESS, VOWEL_SIGNS, code_points, is_spaceless

BLOCK_CHARACTERS = 1 << 19
"""Characters that are processed at once, which bounds the memory."""
BLOCK_TEXTS = 1 << 14
"""Texts that are processed at once."""
_BASE = 0x9E3779B97F4A7C15
"""The base of the polynomial by which a word is hashed; odd, so that it has an inverse."""
_CODE_POINTS, _ASCII = 0x110000, 128
_USUAL_CODES = 2 * BLOCK_CHARACTERS
"""Characters of which words are hashed at once, if no single word is longer."""


def text_blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Consecutive texts of about BLOCK_CHARACTERS together, or single longer ones."""
    block: list[str] = []
    characters = 0
    for text in texts:
        if block and (characters + len(text) > BLOCK_CHARACTERS or len(block) == BLOCK_TEXTS):
            yield block
            block, characters = [], 0
        block.append(text)
        characters += len(text)
    if block:
        yield block


def word_hashes(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes of the words of texts under `norm`, one text after the other, and how many each text has."""
    hashes, lengths = [np.zeros(0, np.uint64)], np.zeros(len(texts), np.int64)
    pieces: list[str] = []
    owners: list[int] = []
    alone: list[bool] = []
    characters = 0
    for at, text in enumerate(texts):
        by_character = is_spaceless(text)
        for piece in _pieces(text):
            if pieces and characters + len(piece) > BLOCK_CHARACTERS:
                hashes.append(_hashed(pieces, owners, alone, lengths))
                pieces, owners, alone, characters = [], [], [], 0
            pieces.append(piece)
            owners.append(at)
            alone.append(by_character)
            characters += len(piece)
    if pieces:
        hashes.append(_hashed(pieces, owners, alone, lengths))
    return np.concatenate(hashes), lengths


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers of which every bit depends on every bit of the given ones (the finisher of splitmix64, Steele, Lea and Flood 2014)."""
    result = numbers + np.uint64(_BASE)
    result ^= result >> np.uint64(30)
    result *= np.uint64(0xBF58476D1CE4E5B9)
    result ^= result >> np.uint64(27)
    result *= np.uint64(0x94D049BB133111EB)
    result ^= result >> np.uint64(31)
    return result


def spans(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The positions start, start + 1, ... of several spans, one span after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)


def codes_of(text: str) -> NDArray[Any]:
    """The code points of a text. A lone surrogate is a character like any other here."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _pieces(text: str) -> Iterator[str]:
    """The text, or if it is long its parts, cut at spaces where there are some."""
    start = 0
    while len(text) - start > BLOCK_CHARACTERS:
        cut = text.rfind(" ", start + 1, start + BLOCK_CHARACTERS)
        cut = cut if cut >= 0 else text.find(" ", start + BLOCK_CHARACTERS)
        if cut < 0:
            break
        yield text[start:cut]
        start = cut
    yield text[start:] if start else text


def _hashed(pieces: Sequence[str], owners: Sequence[int], alone: Sequence[bool], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The hashes of the words of some pieces; adds their number to the lengths of the texts that own the pieces."""
    codes = codes_of("\n".join(pieces) + "\n")
    is_word = _ascii_words() if codes.dtype == np.uint8 else _all_words()
    sizes = np.fromiter((len(piece) + 1 for piece in pieces), np.int64, len(pieces))
    starts, ends = _edges(is_word[codes], _alone()[codes] & np.repeat(np.array(alone), sizes) if any(alone) else None)
    powers, inverses = _usual_powers() if len(codes) <= _USUAL_CODES else _powers(len(codes))
    terms = (_ascii_values()[codes] if codes.dtype == np.uint8 else mixed(codes.astype(np.uint64))) * powers[: len(codes)]
    sums = np.cumsum(terms)
    # The sum of value times power of each character, moved to where the word would be if it came first.
    found = (sums[ends - 1] - sums[starts] + terms[starts]) * inverses[starts]
    counts = np.diff(np.searchsorted(starts, np.cumsum(sizes)), prepend=0)
    np.add.at(lengths, np.asarray(owners), counts)
    return mixed(found ^ (ends - starts).astype(np.uint64))


def _edges(is_word: NDArray[np.bool_], alone: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where words begin, and where they end, by which characters are in words, and which are words alone; the last is in none."""
    if alone is None:
        edges = np.flatnonzero(np.diff(is_word, prepend=False))
        return edges[0::2], edges[1::2]
    is_word = is_word | alone
    before = np.concatenate([np.zeros(1, np.bool_), is_word[:-1]])
    cut = alone | np.concatenate([np.zeros(1, np.bool_), alone[:-1]])
    return np.flatnonzero(is_word & (~before | cut)), np.flatnonzero(before & (~is_word | cut))


@lru_cache(maxsize=1)
def _alone() -> NDArray[np.bool_]:
    """Which code points are words by themselves."""
    found = np.zeros(_CODE_POINTS, np.bool_)
    for first, last in code_points(SPACELESS):
        found[first : last + 1] = True
    return found


@lru_cache(maxsize=1)
def _all_words() -> NDArray[np.bool_]:
    """Which code points are in words: those that `\\w` matches, and vowel signs."""
    found = np.fromiter((chr(code).isalnum() for code in range(_CODE_POINTS)), np.bool_, _CODE_POINTS)
    found[ord("_")] = True
    for first, last in code_points(VOWEL_SIGNS):
        found[first : last + 1] = True
    return found


@lru_cache(maxsize=1)
def _ascii_words() -> NDArray[np.bool_]:
    return np.array([chr(code).isalnum() or chr(code) == "_" for code in range(_ASCII)])


@lru_cache(maxsize=1)
def _ascii_values() -> NDArray[np.uint64]:
    return mixed(np.arange(_ASCII, dtype=np.uint64))


@lru_cache(maxsize=1)
def _usual_powers() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    return _powers(_USUAL_CODES)


def _powers(size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The powers of the base from 0 on, and their inverses, modulo 2 to the 64th."""
    powers, inverses = np.full(size, np.uint64(_BASE)), np.full(size, np.uint64(pow(_BASE, -1, 1 << 64)))
    powers[0] = inverses[0] = 1
    return np.cumprod(powers), np.cumprod(inverses)
