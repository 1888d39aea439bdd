"""Rates as bars and numbers, readable without colour."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.run.event import Rate

HEIGHTS = "▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉"
FULL, EMPTY = "█", "░"


def bar(share: float, width: int) -> str:
    """A share of 1 as a bar of `width` cells, to an eighth of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, part = divmod(eighths, 8)
    drawn = FULL * whole + (EIGHTHS[part] if part else "")
    return drawn + EMPTY * (width - len(drawn))


def percent(share: float) -> str:
    """A share as a whole percentage; only exactly 0 and 1 are shown as 0 % and 100 %."""
    rounded = round(100 * share)
    if rounded == 100 and share < 1:
        rounded = 99
    if rounded == 0 and share > 0:
        rounded = 1
    return f"{rounded:3d} %"


def with_interval(rate: Rate) -> str:
    """A rate with its interval, as `58 % [45–70]`."""
    return f"{percent(rate.rate)} [{round(100 * rate.low)}–{round(100 * rate.high)}]"


def rate_bar(rate: Rate, width: int) -> str:
    """A rate as bar and numbers."""
    return f"{bar(rate.rate, width)} {with_interval(rate)}"


def spark(shares: Sequence[float]) -> str:
    """Shares of 1 as one row of bars on a scale from 0 to 1; Textual's Sparkline scales from the smallest to the largest value."""
    return "".join(HEIGHTS[min(len(HEIGHTS) - 1, int(share * len(HEIGHTS)))] for share in shares)
