"""The style of an answer in numbers: its length, its words, and how much it repeats itself."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from tuneproof.engine.scoring.text_units import tokens

FIXED_LENGTH = 20
"""Words among which distinct ones are counted: the share of distinct words falls with the length of a text (Heaps' law), so it is only
comparable at one length."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, as everywhere here."""
    return tokens(text)


def type_token_ratio(words: list[str]) -> float | None:
    """The share of distinct words among the first `FIXED_LENGTH`; None for a shorter text."""
    return len(set(words[:FIXED_LENGTH])) / FIXED_LENGTH if len(words) >= FIXED_LENGTH else None


def repeated_pairs(words: list[str]) -> float | None:
    """The share of pairs of neighbouring words that occurred before in the text; None for a text with fewer than two pairs.

    One minus distinct-2 (Li et al. 2016, A diversity-promoting objective function for neural conversation models).
    """
    pairs = list(pairwise(words))
    return 1 - len(set(pairs)) / len(pairs) if len(pairs) > 1 else None


def share_among(words: list[str], vocabulary: Collection[str]) -> float | None:
    """The share of the words of a text that belong to a vocabulary; None for a text without words."""
    return sum(word in vocabulary for word in words) / len(words) if words else None
