"""The near-duplicate join by definition: every pair compared, for tests to compare with."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from hypothesis import strategies as st

from tuneproof.engine.audit.near.clusters import NearRows
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.data.example import norm
from tuneproof.engine.data.spaceless import words_of

THRESHOLDS = (0.3, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1.0)
words = st.sampled_from(["a", "b", "c", "naïve", "日本", "日本語文", "สวัสดี", "x_1", "!", "🍕", "-"])
spoken = st.lists(words, max_size=9).map(" ".join)
written = st.text(st.sampled_from("ab é\U0001f355\ud83c?"), max_size=14)
rows = st.lists(spoken | written, max_size=14).map(lambda texts: [norm(text) for text in texts])
shingle = st.sampled_from(Shingle)
threshold = st.sampled_from(THRESHOLDS)


def shingles_of(text: str, shingle: Shingle) -> set[object]:
    """The definition, word for word."""
    parts = (words_of(text) or [text]) if shingle is Shingle.W3 else text
    width = 3 if shingle is Shingle.W3 else 5
    return {tuple(parts[at : at + width]) for at in range(max(1, len(parts) - width + 1))}


def brute_force(texts: list[str], shingle: Shingle, at_least: float) -> dict[tuple[int, int], float]:
    sets = [shingles_of(text, shingle) for text in texts]
    every = {(i, j): len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in combinations(range(len(texts)), 2)}
    return {pair: jaccard for pair, jaccard in every.items() if jaccard >= at_least}


def row_pairs(near: NearRows) -> dict[tuple[int, int], float]:
    """Every pair of rows, written out."""
    members = [np.flatnonzero(near.set_of == number).tolist() for number in range(int(near.set_of.max(initial=-1)) + 1)]
    pairs = {pair: 1.0 for rows in members for pair in combinations(rows, 2)}
    ends = near.pairs.left.tolist(), near.pairs.right.tolist()
    for left, right, jaccard in zip(*ends, near.pairs.jaccard.tolist(), strict=True):
        pairs |= {(min(pair), max(pair)): jaccard for pair in product(members[left], members[right])}
    return pairs
