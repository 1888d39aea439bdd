"""Differences of two models on the same texts, and of one model on two sets of rows, with 95 % intervals.

Each is compared with a margin that was stated beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.scoring.statistics import Interval, wilson

if TYPE_CHECKING:
    from tuneproof.engine.scoring.metric_sums import Floats


class Change(BaseModel):
    """A difference or a ratio with its interval, rounded as on the card."""

    model_config = ConfigDict(extra="forbid")

    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval) -> Change:
        """The interval as it is stored."""
        return cls(estimate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6))


def between_rates(first: int, n_first: int, second: int, n_second: int) -> Interval:
    """The first proportion minus the second, of cases that are not the same (Newcombe 1998, Statistics in Medicine 17:873, method 10).

    Raises ValueError for no cases.
    """
    one, other = wilson(first, n_first), wilson(second, n_second)
    difference = one.estimate - other.estimate
    below = math.hypot(one.estimate - one.low, other.high - other.estimate)
    above = math.hypot(one.high - one.estimate, other.estimate - other.low)
    return Interval(difference, difference - below, difference + above)


def between_means(first: Sequence[float], second: Sequence[float]) -> Interval:
    """The first mean minus the second, of cases that are not the same (Welch 1947).

    For scores that are all 0 or 1 it is that of `between_rates`. With fewer than two cases on a side nothing is known: -1 to 1.
    """
    if {*first, *second} <= {0.0, 1.0}:
        return between_rates(round(sum(first)), len(first), round(sum(second)), len(second))
    import numpy as np
    from scipy.special import stdtrit

    one, other = np.asarray(first, float), np.asarray(second, float)
    difference = float(one.mean() - other.mean())
    if min(len(one), len(other)) < 2:
        return Interval(difference, -1.0, 1.0)
    parts = [float(each.var(ddof=1)) / len(each) for each in (one, other)]
    variance = sum(parts)
    if variance == 0:
        return Interval(difference, difference, difference)
    degrees = variance**2 / sum(part**2 / (len(each) - 1) for part, each in zip(parts, (one, other), strict=True))
    half = float(stdtrit(degrees, 0.975)) * math.sqrt(variance)
    return Interval(difference, max(-1.0, difference - half), min(1.0, difference + half))


def paired_shares(first: Sequence[float], second: Sequence[float]) -> Interval:
    """The first mean minus the second, of values from 0 to 1 of the same cases in the same order."""
    import numpy as np

    from tuneproof.engine.scoring.metric_sums import sums_of_scores
    from tuneproof.engine.scoring.paired_scores import PairedScores

    return PairedScores((sums_of_scores(np.asarray(first, float)),), sums_of_scores(np.asarray(second, float))).interval()


def ratio_of_sums(first: Sequence[float], second: Sequence[float]) -> Interval:
    """The sum of the first divided by the sum of the second, of the same cases in the same order: the ratio of their means.

    Student's t on the logarithm, with the delete-one jackknife (Efron and Stein 1981). Raises ValueError where a sum is not positive even
    with one case left out, or for fewer than two cases.
    """
    import numpy as np

    one, other = np.asarray(first, float), np.asarray(second, float)
    without = np.stack([one.sum() - one, other.sum() - other])
    if len(one) < 2 or (without <= 0).any():
        raise ValueError("a ratio needs two cases, and sums that do not hang on one of them")
    logs: Floats = np.log(without[0] / without[1])
    count = len(logs)
    spread = math.sqrt((count - 1) / count * float(((logs - logs.mean()) ** 2).sum()))
    return _exp(math.log(float(one.sum() / other.sum())), spread, count)


def geometric_ratio(logs: Sequence[float]) -> Interval:
    """The exponential of the mean of some logarithms of ratios, one a case, with Student's t. Raises ValueError for fewer than two."""
    import numpy as np

    values = np.asarray(logs, float)
    if len(values) < 2:
        raise ValueError("an interval needs two cases")
    return _exp(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values))


def _exp(centre: float, spread: float, count: int) -> Interval:
    from scipy.special import stdtrit

    half = float(stdtrit(count - 1, 0.975)) * spread
    return Interval(math.exp(centre), math.exp(centre - half), math.exp(centre + half))
