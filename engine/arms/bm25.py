"""Which of many texts have most in common with a question, by BM25 (Robertson and others 1994, as bm25s computes it)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tuneproof.engine.data.example import norm

_WORD = re.compile(r"\w+")


class BM25Index:
    """An index over texts: words are runs of word characters under `norm`; no stemming and no stop words, whatever the language."""

    def __init__(self, texts: Sequence[str]) -> None:
        # bm25s brings NumPy and SciPy, which the wizard does without until it has to.
        import bm25s

        self._count = len(texts)
        words = [_words(text) for text in texts]
        self._known = {word for text in words for word in text}
        self._index: Any = bm25s.BM25()
        if self._known:
            self._index.index(words, show_progress=False)

    def order(self, question: str) -> list[int]:
        """All texts, the one with most in common first; of equals the one that comes first."""
        asked = [word for word in _words(question) if word in self._known]
        if not asked:
            return list(range(self._count))
        scores = self._index.get_scores(asked)
        return [int(at) for at in (-scores).argsort(kind="stable")]


def _words(text: str) -> list[str]:
    return _WORD.findall(norm(text))
