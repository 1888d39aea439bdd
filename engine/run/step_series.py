"""The steps of a training as columns of numbers: a hundred thousand of them take a few MB."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from tuneproof.engine.run.events import StepLogged


class Column(StrEnum):
    """What can be drawn over the steps; the value is the name in `StepLogged`."""

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
    """Every logged step, in order; `ts` is when it was logged, in seconds since 1970."""

    step: array[int] = field(default_factory=_integers)
    ts: array[float] = field(default_factory=_floats)
    loss: array[float] = field(default_factory=_floats)
    learning_rate: array[float] = field(default_factory=_floats)
    grad_norm: array[float] = field(default_factory=_floats)
    tokens_per_second: array[float] = field(default_factory=_floats)
    seam: int = 0
    """Where the steps of the process that trains now begin."""

    def __len__(self) -> int:
        return len(self.step)

    def append(self, event: StepLogged) -> None:
        """Takes one step in."""
        self.step.append(event.step)
        self.ts.append(event.ts)
        self.loss.append(event.loss)
        self.learning_rate.append(event.learning_rate)
        self.grad_norm.append(event.grad_norm)
        self.tokens_per_second.append(event.tokens_per_second)

    def truncate_after(self, step: int) -> None:
        """Forgets the steps after the one that training goes on from; what follows is the work of another process."""
        kept = len(self)
        while kept and self.step[kept - 1] > step:
            kept -= 1
        for column in (self.step, self.ts, self.loss, self.learning_rate, self.grad_norm, self.tokens_per_second):
            del column[kept:]
        self.seam = kept

    def points(self, most: int, column: Column = Column.LOSS) -> tuple[list[float], list[float]]:
        """Steps and values for a plot, thinned to at most `most` points.

        The first and the last step are kept as they are; those between are divided into runs of equal length, and each becomes its
        mean step and mean value. The loss of one step is that of one small batch, mostly noise around the falling mean that the plot
        is read for; the extremes of each run would draw the width of the noise instead. So a spike of a single step is flattened,
        to its share of the run: where spikes matter, look at the columns. Values that are no number are left out.
        Raises ValueError for fewer than two points.
        """
        if most < 2:
            raise ValueError("a curve has two ends")
        values: array[float] = getattr(self, column)
        count = len(self)
        if count <= most:
            runs = [(at, at + 1) for at in range(count)]
        else:
            inner, cuts = count - 2, most - 2
            edges = [1 + inner * cut // cuts for cut in range(cuts + 1)] if cuts else []
            runs = [(0, 1), *pairwise(edges), (count - 1, count)]
        found = [(_mean(self.step[low:high]), _mean(values[low:high])) for low, high in runs]
        numbers = [(x, y) for x, y in found if math.isfinite(y)]
        return [x for x, _ in numbers], [y for _, y in numbers]

    def seconds_per_step(self, recent: int) -> float | None:
        """Mean seconds of the `recent` last steps of this process; none before there are two to measure between.

        What comes between steps, probes and checkpoints, is counted in; what comes before the first one, loading and warming up, is not.
        """
        start, last = max(self.seam, len(self) - 1 - recent), len(self) - 1
        if last <= start:
            return None
        # A clock that was set back must not make a training end in the past.
        return max(0.0, self.ts[last] - self.ts[start]) / max(1, self.step[last] - self.step[start])


def _mean(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    if math.isfinite(mean):
        return mean
    numbers = [value for value in values if math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan
