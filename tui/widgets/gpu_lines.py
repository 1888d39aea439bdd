"""A GPU in two lines: its use and temperature, and its memory as a bar."""

from __future__ import annotations

from textual.content import Content

from tuneproof.engine.core.hardware import Gpu
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.bars import share_bar

HOT = 85
"""Degrees Celsius near which the GPUs of data centres slow themselves down."""
NEARLY_FULL = 0.95
"""The share of memory from which an allocation may fail."""
LEAST_BAR = 4


def gpu_lines(gpu: Gpu, width: int) -> list[Content]:
    """The two lines, with a bar as wide as fits into `width` cells."""
    used = gpu.total_gib - gpu.free_gib
    share = used / gpu.total_gib if gpu.total_gib else 0.0
    numbers = f" {used:.1f} of {gpu.total_gib:.0f} GiB"
    bar = share_bar(share, max(LEAST_BAR, width - len(numbers)), Meaning.WARN if share >= NEARLY_FULL else Meaning.RATE)
    use = Content.assemble("GPU ", (f"{gpu.utilization} %", "bold"))
    if gpu.celsius is None:
        heat = Content("")
    elif gpu.celsius >= HOT:
        heat = Content.assemble("  ", Meaning.WARN.signed(f"{gpu.celsius} °C"))
    else:
        heat = Content(f"  {gpu.celsius} °C")
    return [Content.assemble(use, heat), Content.assemble(bar, numbers)]
