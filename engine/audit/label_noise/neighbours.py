"""The most similar texts of each text: cosine of TF-IDF vectors, over all pairs that share a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORD = re.compile(r"\w+")

MOST_WORDS = 200
"""Words of a text that are read; the beginning of a long text shows what it is about."""

MOST_PRODUCTS = 3e7
"""Multiplications that the search may take, about two seconds.

The words of most texts are left out until it fits: they weigh least and cost most. On clinc150 these are a few dozen words and pairs, and
the neighbours are as good as with all words.
"""

LEAST_SIMILARITY = 0.05
"""Below this cosine, two texts share no more than a common word or two."""

TEXTS_AT_A_TIME = 1024


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

    vocabulary: dict[str, int] = {}
    words: list[int] = []
    ends = [0]
    for text in texts:
        words.extend(vocabulary.setdefault(word, len(vocabulary)) for word in dict.fromkeys(_words(text)))
        ends.append(len(words))
    numbers = np.array(words, np.int32)
    frequency = np.bincount(numbers, minlength=len(vocabulary))
    weights = np.log(len(texts) / np.maximum(frequency, 1)).astype(np.float32)
    vectors = sparse.csr_matrix((weights[numbers], numbers, np.array(ends)), shape=(len(texts), len(vocabulary)))
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    vectors.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(vectors.indptr)).astype(np.float32)
    return vectors[:, _affordable(frequency)].tocsr()


def _affordable(frequency: NDArray[Any]) -> NDArray[Any]:
    """Which words to compare by, shape (words): those of two texts or more, the rarest first, as many as the limit allows."""
    import numpy as np

    order = np.argsort(frequency, kind="stable")
    cost = np.cumsum(frequency[order].astype(np.float64) ** 2)
    affordable = np.zeros(len(frequency), bool)
    affordable[order[cost <= MOST_PRODUCTS]] = True
    return affordable & (frequency > 1)


def _words(text: str) -> Iterator[str]:
    words = WORD.findall(text)[:MOST_WORDS]
    yield from words
    yield from map(" ".join, pairwise(words))
