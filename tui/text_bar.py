"""A share as a bar of plain text, for a line on a terminal as for a screen; it loads no screen library."""

from __future__ import annotations

EIGHTHS = " ▏▎▍▌▋▊▉"
FULL, EMPTY = "█", "░"


def bar(share: float, width: int) -> str:
    """A share of 1 as a bar of `width` cells, to an eighth of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, part = divmod(eighths, 8)
    drawn = FULL * whole + (EIGHTHS[part] if part else "")
    return drawn + EMPTY * (width - len(drawn))
