"""How much is injected."""

from __future__ import annotations

from enum import StrEnum


class Size(StrEnum):
    """From what fits an ordinary test to what is run before a release."""

    TINY = "tiny"
    QUICK = "quick"
    WHOLE = "whole"

    def of(self, tiny: int, quick: int, whole: int) -> int:
        """The count for this size."""
        return {Size.TINY: tiny, Size.QUICK: quick, Size.WHOLE: whole}[self]


def spread(total: int, count: int) -> list[int]:
    """At most so many of the numbers from 1 to `total`, evenly spread, with the first and the last."""
    if count >= total:
        return list(range(1, total + 1))
    if count <= 1:
        return [1] * min(count, total)
    return sorted({1 + round(at * (total - 1) / (count - 1)) for at in range(count)})
