"""The most similar texts of each text: cosine of TF-IDF vectors, over all pairs that share a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneproof.engine.audit.near.digests import DigestCounts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_WORDS = 200
"""Words of a text that are read; the beginning of a long text shows what it is about."""

MOST_PRODUCTS = 3e7
"""Multiplications that the search may take, about two seconds.

The words of most texts are left out until it fits: they weigh least and cost most. On clinc150 these are a few dozen words and pairs, and
the neighbours are as good as with all words.
"""

LEAST_SIMILARITY = 0.05
"""Below this cosine, two texts share no more than a common word or two."""

TEXTS_AT_A_TIME = 128

MOST_BUCKET_BITS = 25
"""Bits of the buckets in which words and pairs are counted first."""

CHARACTERS_A_WORD = 6
"""About how many characters of text a word takes, to choose the number of buckets."""


@dataclass(frozen=True)
class Neighbours:
    """The numbers of the nearest texts of each text, nearest first, and their cosines, shape (texts, count); -1 and 0 pad the rest."""

    numbers: NDArray[np.int32]
    cosines: NDArray[np.float32]


def nearest_texts(texts: Sequence[str], count: int) -> Neighbours:
    """The nearest texts of each text, without itself.

    A text is the set of its words and pairs of adjoining words, each weighted by log(n / df): n texts, df of them with the word (Spärck
    Jones 1972). Words of every text weigh nothing, so a shared instruction does not make texts similar.
    """
    import numpy as np

    vectors = _vectors(texts)
    numbers = np.full((len(texts), count), -1, np.int32)
    cosines = np.zeros((len(texts), count), np.float32)
    transposed = vectors.T.tocsr()
    for start in range(0, len(texts), TEXTS_AT_A_TIME):
        rows, columns, values = _pairs(vectors[start : start + TEXTS_AT_A_TIME] @ transposed, start)
        # Equal cosines are ordered by number, so that the same texts always have the same neighbours.
        order = np.lexsort((columns, -values, rows))
        rows, columns, values = rows[order], columns[order], values[order]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = rank < count
        numbers[rows[kept], rank[kept]] = columns[kept]
        cosines[rows[kept], rank[kept]] = values[kept]
    return Neighbours(numbers, cosines)


def _pairs(product: Any, start: int) -> tuple[Any, Any, Any]:
    """The pairs of a sparse product that are similar enough, without a text and itself: row, column, cosine."""
    import numpy as np

    rows = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr)) + start
    kept = (product.data >= LEAST_SIMILARITY) & (product.indices != rows)
    return rows[kept], product.indices[kept], product.data[kept]


def _vectors(texts: Sequence[str]) -> Any:
    """One sparse row of unit length a text, without words that only one text has or that cost too much."""
    import numpy as np
    from scipy import sparse

    repeated, frequency, alone = _repeated(texts)
    weights = np.log(len(texts) / np.maximum(frequency, 1)).astype(np.float32)
    weight_alone = float(np.log(max(1, len(texts))).astype(np.float32))
    lengths = [np.zeros(0, np.float32)]
    first = np.full(len(repeated), np.iinfo(np.int64).max)
    read = 0
    for features, per_text in _features(texts):
        known, column = _columns(features, repeated)
        np.minimum.at(first, column, read + np.flatnonzero(known))
        read += len(features)
        squares = np.full(len(features), weight_alone**2)
        squares[known] = weights[column].astype(np.float64) ** 2
        text = np.repeat(np.arange(len(per_text)), per_text)
        lengths.append(np.sqrt(np.bincount(text, weights=squares, minlength=len(per_text))).astype(np.float32))
    # Between words of the same frequency, the one that comes first is taken.
    order = np.argsort(first, kind="stable")
    affordable = np.empty(len(repeated), np.bool_)
    affordable[order] = _affordable(frequency[order], alone)
    repeated, weights = repeated[affordable], weights[affordable]
    columns, counts = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
    for features, per_text in _features(texts):
        known, column = _columns(features, repeated)
        columns.append(column.astype(np.int32))
        counts.append(np.bincount(np.repeat(np.arange(len(per_text)), per_text)[known], minlength=len(per_text)))
    column, per_row = np.concatenate(columns), np.concatenate(counts)
    length = np.concatenate(lengths)
    data = weights[column] / np.repeat(np.where(length > 0, length, np.float32(1)), per_row[1:])
    return sparse.csr_matrix((data, column, np.cumsum(per_row)), shape=(len(texts), len(repeated)))


def _columns(features: NDArray[np.uint64], repeated: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which features are among the given ones, which rise, and the positions of these there."""
    import numpy as np

    if not len(repeated):
        return np.zeros(len(features), np.bool_), np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(repeated, features), len(repeated) - 1)
    known = repeated[at] == features
    return known, at[known]


def _repeated(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64], int]:
    """The words and pairs that two texts or more have, in rising order, how many texts have each, and how many only one text has."""
    import numpy as np

    bits = min(MOST_BUCKET_BITS, max(1, 2 * sum(map(len, texts)) // CHARACTERS_A_WORD).bit_length())
    often = np.zeros(1 << bits, np.uint8)
    shift = np.uint64(64 - bits)
    total = 0
    for features, _ in _features(texts):
        bucket, count = np.unique(features >> shift, return_counts=True)
        often[bucket] = np.minimum(often[bucket] + count, 2)
        total += len(features)
    # Most pairs of words occur once, and a pair that is alone in its bucket does.
    counts = DigestCounts.sum(DigestCounts.of_digests(features[often[features >> shift] > 1]) for features, _ in _features(texts))
    several = counts.counts > 1
    found, frequency = counts.digests[several], counts.counts[several]
    return found, frequency, total - int(frequency.sum())


def _affordable(frequency: NDArray[Any], alone: int) -> NDArray[Any]:
    """Which words to compare by, shape (words): the rarest first, as many as the limit allows after those that only one text has."""
    import numpy as np

    order = np.argsort(frequency, kind="stable")
    cost = alone + np.cumsum(frequency[order].astype(np.float64) ** 2)
    affordable = np.zeros(len(frequency), np.bool_)
    affordable[order[cost <= MOST_PRODUCTS]] = True
    return affordable


def _features(texts: Sequence[str]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """The hashes of the words and of the pairs of words of some texts, each once a text, and how many each text has."""
    import numpy as np

    from tuneproof.engine.audit.words import mixed, spans, text_blocks, word_hashes

    for block in text_blocks(texts):
        words, lengths = word_hashes(block)
        singles = np.minimum(lengths, MOST_WORDS)
        words = words[spans(np.cumsum(lengths) - lengths, singles)]
        doubles = np.maximum(singles - 1, 0)
        first = spans(np.cumsum(singles) - singles, doubles)
        numbers = np.arange(len(block))
        text = np.concatenate([np.repeat(numbers, singles), np.repeat(numbers, doubles)])
        features = np.concatenate([words, mixed(mixed(words[first]) ^ words[first + 1])])
        by_text = np.argsort(text, kind="stable")
        text, features = text[by_text], features[by_text]
        by_feature = np.lexsort((features, text))
        new = np.ones(len(text), np.bool_)
        new[1:] = (np.diff(text[by_feature]) != 0) | (np.diff(features[by_feature]) != 0)
        once = np.sort(by_feature[new])
        yield features[once], np.bincount(text[once], minlength=len(block))
