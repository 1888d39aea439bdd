"""Whether an arm meets a target beyond luck: the lowest value of its metric that the cases leave possible."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tuneproof.engine.scoring.metric_sums import MetricSums
from tuneproof.engine.scoring.paired_scores import unseen_variance

if TYPE_CHECKING:
    from tuneproof.engine.scoring.metric_sums import Ints


def lower_bound(metric: MetricSums, clusters: Ints | None = None, tail: float = 0.025) -> float:
    """The value that the true metric lies below at most this often, whatever it is.

    A proportion over cases that stand alone: exact (Clopper and Pearson 1934); Wilson's limit is too high near 1, where targets lie.
    Otherwise the smaller of the exact limit for the effective number of cases (Korn and Graubard 1998, Survey Methodology 24:193), never
    more than there are, and Student's t with the delete-one-cluster jackknife. For macro-F1 of single labels it is Student's t alone; with
    several labels a case that is too high near 1 (3.6 % in place of 2.5 % of 80 cases, counted by `tests.bench.verdict`), and the exact
    limit is for as many labels as the cases have. With fewer than two clusters it is 0.
    """
    from scipy.special import stdtrit

    by_unit = metric.by_unit(clusters)
    units, cases = len(by_unit), len(metric.sums)
    value = float(metric.value(by_unit.sum(0)))
    if units < 2 and cases != units:
        return 0.0
    if metric.is_proportion and units == cases:
        return clopper_pearson_low(value * cases, cases, tail)
    if units < 2:
        return 0.0
    without = metric.value(by_unit.sum(0) - by_unit)
    variance = (units - 1) / units * float(((without - without.mean()) ** 2).sum())
    quantile = float(stdtrit(units - 1, 1 - tail))
    by_t = value - quantile * math.sqrt(variance + unseen_variance(metric, by_unit))
    if metric.labels and not metric.has_several:
        return max(0.0, by_t)
    # An F1 of several labels rests on all labels that the cases have.
    most = round(float(metric.sums[:, : metric.labels].sum())) if metric.labels else cases
    effective = _effective_cases(value, variance, units, most)
    return max(0.0, min(by_t, clopper_pearson_low(effective * value, effective, tail)))


def clopper_pearson_low(successes: float, cases: float, tail: float) -> float:
    """The exact lower limit of a proportion (Clopper and Pearson 1934); fractional counts are those of an effective sample."""
    from scipy.special import betaincinv

    return float(betaincinv(successes, cases - successes + 1, tail)) if successes > 0 else 0.0


def min_cases_for_target(target: float, tail: float = 0.025) -> int | None:
    """The fewest cases that can show the target: all of n correct have the exact lower limit tail^(1/n). None for a target of 1."""
    return math.ceil(math.log(tail) / math.log(target) - 1e-9) if target < 1 else None


def min_correct_for_target(n: int, target: float, tail: float = 0.025) -> int | None:
    """How many of n cases have to be correct for the exact lower limit to reach the target; None if not even all are enough."""
    return next((right for right in range(math.ceil(target * n), n + 1) if clopper_pearson_low(right, n, tail) >= target), None)


def cases_to_show_target(value: float, at_least: float, tail: float = 0.025) -> int | None:
    """How many cases it takes for the exact lower limit to reach the target at this measured rate; None above a million."""
    if value <= at_least:
        return None
    high = min_cases_for_target(at_least, tail) or 1
    while clopper_pearson_low(value * high, high, tail) < at_least:
        high *= 2
        if high > 1_000_000:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if clopper_pearson_low(value * middle, middle, tail) < at_least:
            low = middle
        else:
            high = middle
    return high


def _effective_cases(value: float, variance: float, units: int, cases: int) -> float:
    """The number of independent cases whose proportion would vary as much; that of the units where all are right."""
    if value >= 1 - 1e-12 or variance <= 0:
        return float(units)
    return min(max(value * (1 - value) / variance, 1.0), float(cases))
