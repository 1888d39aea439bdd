"""The steps of a training as columns of numbers: 100,000 steps take a few MB."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from tuneproof.engine.run.events import StepLogged


class Column(StrEnum):
    """What can be plotted over the steps; the value is the field of `StepLogged`."""

    LOSS = "loss"
    LEARNING_RATE = "learning_rate"
    GRAD_NORM = "grad_norm"
    TOKENS_PER_SECOND = "tokens_per_second"


def _integers() -> array[int]:
    return array("q")


def _floats() -> array[float]:
    return array("d")


@dataclass
class StepSeries:
    """Every logged step in order; `ts` is the time of its event, in seconds since 1970."""

    step: array[int] = field(default_factory=_integers)
    ts: array[float] = field(default_factory=_floats)
    loss: array[float] = field(default_factory=_floats)
    learning_rate: array[float] = field(default_factory=_floats)
    grad_norm: array[float] = field(default_factory=_floats)
    tokens_per_second: array[float] = field(default_factory=_floats)
    seam: int = 0
    """The index of the first step of the process that trains now."""

    def __len__(self) -> int:
        return len(self.step)

    def append(self, event: StepLogged) -> None:
        """Adds one step."""
        self.step.append(event.step)
        self.ts.append(event.ts)
        self.loss.append(event.loss)
        self.learning_rate.append(event.learning_rate)
        self.grad_norm.append(event.grad_norm)
        self.tokens_per_second.append(event.tokens_per_second)

    def truncate_after(self, step: int) -> None:
        """Drops the steps after the one that training resumes from; those that follow are of another process."""
        kept = len(self)
        while kept and self.step[kept - 1] > step:
            kept -= 1
        for column in (self.step, self.ts, self.loss, self.learning_rate, self.grad_norm, self.tokens_per_second):
            del column[kept:]
        self.seam = kept

    def points(self, max_points: int, column: Column = Column.LOSS) -> tuple[list[float], list[float]]:
        """Steps and values for a plot, thinned to at most `max_points`.

        The first and the last step are kept. Those between are divided into bins of equal length, and each bin becomes its mean step and
        mean value: a step's loss is that of one small batch, mostly noise around the mean that the plot is read for. So a spike of a
        single step is flattened; use the columns if spikes matter. Values that are not finite are left out. Raises ValueError for fewer
        than two points.
        """
        if max_points < 2:
            raise ValueError("a plot needs at least two points")
        values: array[float] = getattr(self, column)
        count = len(self)
        if count <= max_points:
            bins = [(at, at + 1) for at in range(count)]
        else:
            inner, cuts = count - 2, max_points - 2
            edges = [1 + inner * cut // cuts for cut in range(cuts + 1)] if cuts else []
            bins = [(0, 1), *pairwise(edges), (count - 1, count)]
        means = [(_finite_mean(self.step[low:high]), _finite_mean(values[low:high])) for low, high in bins]
        finite = [(x, y) for x, y in means if math.isfinite(y)]
        return [x for x, _ in finite], [y for _, y in finite]

    def seconds_per_step(self, recent: int) -> float | None:
        """Mean seconds of the last `recent` steps of this process; None before it has taken two.

        Probes and checkpoints between steps count; loading and warming up before the first step do not.
        """
        start, last = max(self.seam, len(self) - 1 - recent), len(self) - 1
        if last <= start:
            return None
        # The clock may have been set back.
        return max(0.0, self.ts[last] - self.ts[start]) / max(1, self.step[last] - self.step[start])


def _finite_mean(values: Sequence[float]) -> float:
    """The mean of the values that are finite; NaN if none is."""
    mean = sum(values) / len(values)
    if math.isfinite(mean):
        return mean
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
