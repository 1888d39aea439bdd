"""Ranks texts by their similarity to a query with BM25 (Robertson et al. 1994, as bm25s computes it)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tuneproof.engine.data.example import norm

_WORD = re.compile(r"\w+")


class BM25Index:
    """A BM25 index. Words are runs of word characters after `norm`, in any language, without stemming or stop words."""

    def __init__(self, texts: Sequence[str]) -> None:
        # Imported here, because bm25s imports NumPy and SciPy, which the wizard starts without.
        import bm25s

        self._count = len(texts)
        words = [_words(text) for text in texts]
        self._vocabulary = {word for text in words for word in text}
        self._index: Any = bm25s.BM25()
        if self._vocabulary:
            self._index.index(words, show_progress=False)

    def rank(self, query: str) -> list[int]:
        """The indices of all texts, the most similar first; ties keep the order of the texts."""
        words = [word for word in _words(query) if word in self._vocabulary]
        if not words:
            return list(range(self._count))
        scores = self._index.get_scores(words)
        return [int(at) for at in (-scores).argsort(kind="stable")]


def _words(text: str) -> list[str]:
    return _WORD.findall(norm(text))
