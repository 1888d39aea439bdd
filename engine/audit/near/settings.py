"""What the near-duplicate join compares, and where it stops. Imports no NumPy, so that the command line can read it at once."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

LEAST_JACCARD = 0.8
"""Jaccard similarity of two sets of shingles from which two rows are near duplicates."""

MOST_PAIRS = 5_000_000
"""Near pairs at which the join stops: from there on it is incomplete."""

OnRows = Callable[[int, int], None]
"""Called with how many of how many rows are done."""


class Shingle(StrEnum):
    """The unit that two texts are compared by: runs of three words, or runs of five characters.

    In a text in a script without spaces every character is a word, so that words run over three characters there.
    """

    W3 = "w3"
    C5 = "c5"

    @property
    def width(self) -> int:
        """Words or characters in one shingle."""
        return 3 if self is Shingle.W3 else 5
