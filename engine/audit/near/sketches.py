"""Sketches of sets of shingles: what decides which sets can be near, in a sixth of the memory of the text.

The sets themselves are never held. A sketch has the size of a set, a fingerprint, a bit signature, and a hash of each of the rarest
shingles: two near sets share one of these (the prefix filter of `near.join`). Pairs that pass are compared by their texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneproof.engine.audit.near.hashes import shingle_hashes, sorted_sets
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.words import mixed, spans, text_blocks

FREQUENCY_SHIFT = 56
"""The lower bits of a key that identify a shingle among those of the same frequency; the upper bits are the frequency."""
FEWEST_BUCKETS, MOST_BUCKETS = 16, 27
"""Bits of the buckets in which shingles are counted. Only the order of shingles depends on the counts, so buckets may be shared."""
CHARACTERS_A_BUCKET = 13
"""Characters of text for each bucket: about two words, so that a bucket counts about two shingles that occur once."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Sketches:
    """The sketches of sets, one a text."""

    sizes: NDArray[np.int32]
    """The number of shingles of each set, shape (sets)."""
    fingerprints: NDArray[np.uint64]
    """One number a set, equal for equal sets and rarely for others, shape (sets)."""
    signatures: NDArray[np.uint64]
    """Bits of each set, each the parity of the number of shingles that map to it, shape (words, sets)."""
    starts: NDArray[np.int64]
    """Where the rarest shingles of each set begin, and where the last end, shape (sets + 1)."""
    rarest: NDArray[np.uint32]
    """The lower bits of the rarest shingles of all sets, the rarest of a set first."""

    @classmethod
    def of_keys(cls, keys: NDArray[np.uint64], sizes: NDArray[np.int64], at_least: float, words: int) -> Sketches:
        """The sketches of sets given by the keys of their shingles, the rarest of a set first, for pairs of at least this Jaccard."""
        starts = np.cumsum(sizes) - sizes
        prefix = sizes - lower_bound(sizes, at_least) + 1
        scattered = mixed(keys)
        if not len(sizes):
            return cls(np.zeros(0, np.int32), scattered, np.zeros((words, 0), np.uint64), np.zeros(1, np.int64), np.zeros(0, np.uint32))
        return cls(
            sizes.astype(np.int32),
            np.add.reduceat(scattered, starts),
            _signatures(keys, starts, words),
            np.concatenate([np.zeros(1, np.int64), np.cumsum(prefix)]),
            keys[spans(starts, prefix)].astype(np.uint32),
        )

    @classmethod
    def joined(cls, parts: list[Sketches], words: int) -> Sketches:
        """The sketches of all parts, one after the other; empties the list, so that no sketch is held twice."""
        lengths = [np.zeros(1, np.int64), *(np.diff(part.starts) for part in parts)]
        sizes = np.concatenate([np.zeros(0, np.int32), *(part.sizes for part in parts)])
        fingerprints = np.concatenate([np.zeros(0, np.uint64), *(part.fingerprints for part in parts)])
        signatures = np.concatenate([np.zeros((words, 0), np.uint64), *(part.signatures for part in parts)], axis=1)
        rarest = [np.zeros(0, np.uint32), *(part.rarest for part in parts)]
        parts.clear()
        return cls(sizes, fingerprints, signatures, np.cumsum(np.concatenate(lengths)), np.concatenate(rarest))


def lower_bound(sizes: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """The smallest whole numbers that are not below a share of the sizes; rounding may make one too small, never too large."""
    bound: NDArray[np.int64] = np.ceil(sizes * share - 1e-6).astype(np.int64)
    return bound


def signature_words(shingles: int, sets: int) -> int:
    """How many words of 64 bits a signature has: one bit for each shingle of a set of average size."""
    return max(1, round(shingles / max(1, sets) / 64))


def levels_of(often: NDArray[np.uint16] | NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The frequencies of buckets in 256 levels that rise with their logarithms."""
    levels = np.empty(len(often), np.uint8)
    for first in range(0, len(often), 1 << 20):
        part = often[first : first + (1 << 20)]
        levels[first : first + (1 << 20)] = np.minimum(255, 8 * np.log2(np.maximum(part, 1).astype(np.float32)))
    return levels


def by_rarity(
    hashes: NDArray[np.uint64], lengths: NDArray[np.int64], levels: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The shingles of each text as keys with the frequency in the upper bits, each once and the rarest first, and how many there are."""
    level = levels[hashes >> np.uint64(64 - (len(levels).bit_length() - 1))]
    return sorted_sets(level.astype(np.uint64) << np.uint64(FREQUENCY_SHIFT) | hashes & np.uint64((1 << FREQUENCY_SHIFT) - 1), lengths)


def sketch(texts: Sequence[str], shingle: Shingle, at_least: float) -> Sketches:
    """The sketches of texts under `norm`, for pairs of at least this Jaccard. The texts are read twice."""
    often, total, sets = _frequencies(texts, shingle)
    levels = levels_of(often)
    del often
    words = signature_words(total, sets)
    parts: list[Sketches] = []
    for block in text_blocks(texts):
        parts.append(Sketches.of_keys(*by_rarity(*shingle_hashes(block, shingle), levels), at_least, words))
    return Sketches.joined(parts, words)


def _frequencies(texts: Sequence[str], shingle: Shingle) -> tuple[NDArray[np.uint16], int, int]:
    """How often shingles occur, by the upper bits of their hashes; and the number of shingles and of texts."""
    bits = 0
    often = np.zeros(0, np.uint16)
    total = done = 0
    for block in text_blocks(texts):
        if not len(often):
            characters = len(texts) * sum(map(len, block)) // len(block)
            bits = min(MOST_BUCKETS, max(FEWEST_BUCKETS, (characters // CHARACTERS_A_BUCKET).bit_length()))
            often = np.zeros(1 << bits, np.uint16)
        hashes, _ = shingle_hashes(block, shingle)
        buckets = np.sort((hashes >> np.uint64(64 - bits)).astype(np.uint32))
        first = np.flatnonzero(np.diff(buckets, prepend=np.uint32(buckets[0] ^ 1)))
        counts = np.diff(first, append=len(buckets))
        bucket = buckets[first]
        often[bucket] = np.minimum(often[bucket] + counts, np.iinfo(np.uint16).max)
        total += len(hashes)
        done += len(block)
    return (often if len(often) else np.zeros(1 << FEWEST_BUCKETS, np.uint16)), total, done


def _signatures(keys: NDArray[np.uint64], starts: NDArray[np.int64], words: int) -> NDArray[np.uint64]:
    scattered = keys * _GOLDEN
    bit = np.uint64(1) << (scattered >> np.uint64(58))
    if words == 1:
        return np.bitwise_xor.reduceat(bit, starts)[None]
    word = (scattered >> np.uint64(32) & np.uint64(0xFFFFFF)) % np.uint64(words)
    return np.stack([np.bitwise_xor.reduceat(np.where(word == number, bit, np.uint64(0)), starts) for number in range(words)])
