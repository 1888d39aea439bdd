"""The axes of a loss curve: the loss is logarithmic where it falls far, so that a flat end still shows its shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textual_plot.axis_formatter import AxisFormatter, NumericAxisFormatter

FALLS_FAR = 6.0
"""From this ratio of the largest to the smallest loss, a linear axis would draw what comes late as a flat line."""
ROOM = 0.06
"""The share of the axis that is free above and below the curve."""
ROWS_A_TICK = 2
"""Rows that a label and the space below it need."""
SPACE_BETWEEN = 2
"""Columns between two labels of steps."""
MANTISSAS: tuple[tuple[float, ...], ...] = ((1, 2, 5), (1, 3), (1,))
"""The labels of a decade, from many to few."""


@dataclass(frozen=True)
class LossAxis:
    """How losses become heights, and from which to which height the axis goes."""

    is_log: bool
    low: float
    high: float

    def heights(self, losses: Sequence[float]) -> list[float]:
        """Where the losses stand on the axis; one that is not positive stands at the lower end of a logarithmic one."""
        return [math.log10(loss) if loss > 0 else self.low for loss in losses] if self.is_log else list(losses)


def loss_axis(losses: Sequence[float]) -> LossAxis:
    """The axis for finite losses, at least one."""
    positive = [loss for loss in losses if loss > 0]
    is_log = bool(positive) and max(positive) >= FALLS_FAR * min(positive)
    ends = (math.log10(min(positive)), math.log10(max(positive))) if is_log else (min(losses), max(losses))
    room = ROOM * (ends[1] - ends[0]) or max(ROOM * abs(ends[0]), 1e-3)
    return LossAxis(is_log, ends[0] - room, ends[1] + room)


class StepTicks(NumericAxisFormatter):
    """Labels of the steps: round ones, as many as the columns have room for, and the last step of the training at the end of the axis."""

    def __init__(self, end: int, columns: int) -> None:
        self._end = end
        width = len(str(end))
        self._most = max(1, columns // (width + SPACE_BETWEEN) - 1)
        # The last label ends at the axis, the others are centred.
        self._up_to = end * (columns - 1.5 * width - SPACE_BETWEEN) / columns

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        round_ones = [tick for tick in super().get_ticks(min_, self._end, max_ticks) if tick.is_integer()]
        return [tick for tick in _thinned(round_ones, self._most) if tick <= self._up_to] + [max_]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [f"{round(tick)}" for tick in ticks[:-1]] + [str(self._end)]


class LogTicks(AxisFormatter):
    """Labels of a logarithmic axis, on which the losses stand as powers of ten; as many as its rows have room for."""

    def __init__(self, rows: int) -> None:
        self._most = max(2, rows // ROWS_A_TICK)

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        decades = range(math.floor(min_), math.ceil(max_) + 1)
        for mantissas in MANTISSAS:
            values = [decade + math.log10(mantissa) for decade in decades for mantissa in mantissas]
            ticks = [value for value in values if min_ <= value <= max_]
            if len(ticks) <= self._most:
                break
        return _thinned(ticks, self._most)

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [f"{float(f'{10**tick:.1g}'):g}" for tick in ticks]


class LinearTicks(NumericAxisFormatter):
    """Labels of a linear axis, as many as its rows have room for."""

    def __init__(self, rows: int) -> None:
        self._most = max(2, rows // ROWS_A_TICK)

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        return _thinned(super().get_ticks(min_, max_, max_ticks), self._most)


def _thinned(ticks: Sequence[float], most: int) -> list[float]:
    """Every second tick, or third, so that there are not more than `most`."""
    return list(ticks[:: max(1, -(-len(ticks) // most))])
