"""Rates as bars and numbers, readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual.content import Content

from tuneproof.engine.run.event import Rate, whole_percent
from tuneproof.tui.theme import Meaning

HEIGHTS = "▁▂▃▄▅▆▇█"
SURE, PERHAPS, BEYOND = "━", "╍", "─"
"""The part of a bar below the interval, the part inside it, and the part of the interval after the bar."""


def percent(share: float) -> str:
    """A share as a whole percentage, as wide as 100 %."""
    return f"{whole_percent(share):>5}"


def rate_text(rate: Rate, meaning: Meaning | None = None) -> Content:
    """A rate with its interval, the rate in bold or as its meaning."""
    return Content.assemble(
        (percent(rate.rate), meaning.style if meaning else "bold"), " ", Meaning.INTERVAL.text(rate.describe_interval())
    )


RATE_WIDTH = len("100 % [95–100]")
"""Cells that a rate with its interval needs."""


def share_bar(share: float, width: int, meaning: Meaning = Meaning.RATE) -> Content:
    """A share of 1 that is no estimate, such as used memory or finished work, as a bar of `width` cells."""
    whole = round(max(0.0, min(1.0, share)) * width)
    return Content.assemble(meaning.text(SURE * whole), Meaning.TRACK.text(Meaning.TRACK.sign * (width - whole)))


def rate_bar(rate: Rate, width: int, target: float | None = None) -> Content:
    """A rate as a bar of `width` cells on a scale from 0 to 1, with the interval drawn on it, and the target as a line.

    The bar ends at the rate: heavy up to the low end of the interval, and broken from there. A thin line goes on to the high end.
    """
    cells = [_cell((at + 0.5) / width, rate) for at in range(width)]
    if target is not None:
        cells[min(width - 1, int(target * width))] = (Meaning.TARGET.sign, Meaning.TARGET)
    runs = [(meaning, "".join(sign for sign, _ in run)) for meaning, run in groupby(cells, key=lambda cell: cell[1])]
    return Content.assemble(*(meaning.text(signs) for meaning, signs in runs))


def _cell(middle: float, rate: Rate) -> tuple[str, Meaning]:
    """The sign and the meaning of the cell of a bar with this middle."""
    if middle < rate.rate:
        return (SURE, Meaning.RATE) if middle <= rate.low else (PERHAPS, Meaning.INTERVAL)
    return (BEYOND, Meaning.INTERVAL) if middle < rate.high else (Meaning.TRACK.sign, Meaning.TRACK)


def spark(shares: Sequence[float]) -> str:
    """Shares of 1 as one row of bars on a scale from 0 to 1; Textual's Sparkline scales from the smallest to the largest value."""
    return "".join(HEIGHTS[min(len(HEIGHTS) - 1, int(share * len(HEIGHTS)))] for share in shares)
