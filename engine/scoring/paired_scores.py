"""The difference of two arms in any metric on the cases that both answered, with an interval and a p-value.

Both hold for few cases, for cases that come in clusters (a conversation, a user), for metrics that are not proportions, and, where a
model was trained with several seeds, for the luck of training. `python -m tests.bench.verdict` measures how well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tuneproof.engine.scoring.metric_sums import MetricSums, sums_of_scores
from tuneproof.engine.scoring.statistics import Interval, PairedCounts, mcnemar_exact

if TYPE_CHECKING:
    from tuneproof.engine.scoring.metric_sums import Floats, Ints

PERMUTATIONS = 4_000
"""Random swaps of a permutation test; a p-value of 0.05 is then known to within 0.007."""

ALL_SWAPS = 12
"""Up to this many clusters all swaps are tried, so that the p-value is exact."""


@dataclass(frozen=True)
class PairedScores:
    """Two arms on the same cases.

    `first` has one entry a training seed of the first arm, usually one; its value is their mean. `clusters` numbers the cluster of each
    case from 0; it is None where each case stands alone.
    """

    first: tuple[MetricSums, ...]
    second: MetricSums
    clusters: Ints | None = None
    is_judged: bool = False
    """Whether a judge compared the two arms' answers side by side: the difference is then the rate of wins minus that of losses."""

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.second.sums)

    @property
    def units(self) -> int:
        """How many independent units there are: clusters, or cases."""
        return len(self._second_units)

    @cached_property
    def estimate(self) -> float:
        """The first arm's metric minus the second's."""
        return float(self._of([units.sum(0) for units in self._first_units], self._second_units.sum(0)))

    @cached_property
    def counts(self) -> PairedCounts | None:
        """On how many cases both were right, only one, neither; None where the metric is no proportion, or there are several seeds."""
        if len(self.first) > 1 or not (self.first[0].is_proportion and self.second.is_proportion):
            return None
        first, second = self.first[0].sums[:, 0] > 0, self.second.sums[:, 0] > 0
        both, either = int((first & second).sum()), int((first | second).sum())
        return PairedCounts(both, int(first.sum()) - both, int(second.sum()) - both, self.cases - either)

    @cached_property
    def discordance(self) -> float:
        """The mean squared difference of a case; for a proportion the share of cases on which the arms disagree."""
        return float((self._score_differences**2).mean())

    @cached_property
    def wins(self) -> int:
        """Cases on which the first arm, in its first training, scores more than the second; for F1 the F1 of the case."""
        return int((self._score_differences > 0).sum())

    @cached_property
    def losses(self) -> int:
        """Cases on which the second arm scores more."""
        return int((self._score_differences < 0).sum())

    @cached_property
    def _score_differences(self) -> Floats:
        return self.first[0].case_scores - self.second.case_scores

    def interval(self, low_tail: float = 0.025, high_tail: float = 0.025) -> Interval:
        """The difference with limits that miss it, below and above, at most this often.

        For a proportion over cases that stand alone: Tango's score interval (1998, Statistics in Medicine 17:891) with Student's t in
        place of the normal quantile, which by enumeration covers at least 0.943 from 10 cases on. Otherwise Student's t with the
        delete-one-cluster jackknife (Efron and Stein 1981), never narrower than Tango's. Two unseen half cases on which the arms disagree
        are added to the variance, as Agresti and Min (2005, Statistics in Medicine 24:729) add them to the counts: arms that happen to
        agree on all of a few cases are not known to be equal. With several seeds the variance between them is added, with the degrees of
        freedom of Satterthwaite (1946). With fewer than two clusters nothing is known, and the limits are -1 and 1.
        """
        if self.units < 2:
            return Interval(self.estimate, -1.0, 1.0)
        low = min(limits[0] for limits in self._limits(low_tail))
        high = max(limits[1] for limits in self._limits(high_tail))
        return Interval(self.estimate, max(-1.0, low), min(1.0, high))

    @cached_property
    def p_value(self) -> float:
        """Two-sided: McNemar's exact test for a proportion over cases that stand alone, else a permutation test.

        The permutation test swaps the two arms on whole clusters, which changes nothing where they do not differ (Good 2005, chapter 3):
        in all ways where there are few clusters, else in random ones, the observed way counted among them (Phipson and Smyth 2010). It
        does not cover the luck of training; the interval does.
        """
        counts = self.counts
        if counts is not None and not self._is_clustered:
            return mcnemar_exact(counts)
        return self._permutation_test()

    @cached_property
    def design_effect(self) -> float:
        """How many times larger the variance is than if each case stood alone; at least 1."""
        if not self._is_clustered or self.units < 2:
            return 1.0
        alone = PairedScores(self.first, self.second)
        return max(1.0, self._case_variance / alone._case_variance)

    @cached_property
    def _first_units(self) -> list[Floats]:
        return [each.by_unit(self.clusters) for each in self.first]

    @cached_property
    def _second_units(self) -> Floats:
        return self.second.by_unit(self.clusters)

    @property
    def _is_clustered(self) -> bool:
        return self.units < self.cases

    def _of(self, first: Sequence[Floats], second: Floats) -> Floats:
        """The difference of totals: each of shape (…, columns), the result of shape (…)."""
        import numpy as np

        values = [each.value(totals) for each, totals in zip(self.first, first, strict=True)]
        mean: Floats = np.mean(values, axis=0) - self.second.value(second)
        return mean

    def _limits(self, tail: float) -> list[tuple[float, float]]:
        from scipy.special import stdtrit

        found = []
        counts = self.counts
        if counts is not None:
            found.append(tango_limits(counts, float(stdtrit(self.units - 1, 1 - tail))))
        if counts is None or self._is_clustered:
            half = float(stdtrit(self._degrees_of_freedom, 1 - tail)) * math.sqrt(self._case_variance + self._seed_variance)
            found.append((self.estimate - half, self.estimate + half))
        return found

    @cached_property
    def _case_variance(self) -> float:
        units = self.units
        first = [each.sum(0) - each for each in self._first_units]
        without = self._of(first, self._second_units.sum(0) - self._second_units)
        jackknife = (units - 1) / units * float(((without - without.mean()) ** 2).sum())
        return jackknife + unseen_variance(self.second, self._second_units)

    @cached_property
    def _seed_variance(self) -> float:
        import numpy as np

        if len(self.first) < 2:
            return 0.0
        values = [float(each.value(each.sums.sum(0))) for each in self.first]
        return float(np.var(values, ddof=1)) / len(values)

    @property
    def _degrees_of_freedom(self) -> float:
        cases, seeds = self._case_variance, self._seed_variance
        if seeds == 0:
            return self.units - 1
        return (cases + seeds) ** 2 / (cases**2 / (self.units - 1) + seeds**2 / (len(self.first) - 1))

    def _permutation_test(self) -> float:
        import numpy as np

        units = self.units
        if units <= ALL_SWAPS:
            swaps = (np.arange(2**units)[:, None] >> np.arange(units) & 1).astype(float)
        else:
            # The old generator: only of this one does NumPy promise that a seed gives the same numbers in every version.
            swaps = np.random.RandomState(0).randint(2, size=(PERMUTATIONS, units)).astype(float)
        swapped = []
        for each, sums in zip(self._first_units, self.first, strict=True):
            moved = swaps @ (each - self._second_units)
            swapped.append(sums.value(each.sum(0) - moved) - sums.value(self._second_units.sum(0) + moved))
        extreme = int((np.abs(np.mean(swapped, axis=0)) >= abs(self.estimate) - 1e-12).sum())
        return extreme / len(swaps) if units <= ALL_SWAPS else (extreme + 1) / (len(swaps) + 1)


def judged_pairs(outcomes: Sequence[Floats], clusters: Ints | None) -> PairedScores:
    """The first arm against the second as a judge saw them: 1 for a win, 0 for a tie, -1 for a loss of each case, one entry a seed.

    Of one training, a win is a case that only the first arm gets right, a loss one that only the second does, and a tie one on which they
    do not differ: the difference of the two proportions is the rate of wins minus that of losses, and McNemar's test is the sign test on
    the pairs that are no ties. Of several trainings, the first arm's score of a case is its outcome, and the second's 0.
    """
    import numpy as np

    if len(outcomes) == 1:
        won, lost = np.maximum(outcomes[0], 0.0), np.maximum(-outcomes[0], 0.0)
        return PairedScores((sums_of_scores(won),), sums_of_scores(lost), clusters, is_judged=True)
    return PairedScores(tuple(map(sums_of_scores, outcomes)), sums_of_scores(np.zeros(len(outcomes[0]))), clusters, is_judged=True)


def unseen_variance(metric: MetricSums, by_unit: Floats) -> float:
    """The variance that two unseen half cases would add, one right by the one arm alone, one by the other.

    For a mean over g units 1 / (g + 2)². For macro-F1 the sum over labels of (1 / (labels (g + 1)))², g being the units that have the
    label: one more case of a rare label moves its F1 far.
    """
    if metric.labels == 0:
        return 1.0 / (len(by_unit) + 2) ** 2
    having = (by_unit[:, : metric.labels] > 0).sum(0)
    having = having[having > 0]
    return float(((1.0 / (max(1, len(having)) * (having + 1))) ** 2).sum())


def tango_limits(counts: PairedCounts, quantile: float) -> tuple[float, float]:
    """Score limits for the difference of two paired proportions (Tango 1998, Statistics in Medicine 17:891).

    `quantile` is that of a tail. The limits are the differences under which the score statistic equals it.
    """
    n, first, second = counts.n, counts.only_first, counts.only_second

    def statistic(difference: float) -> float:
        half = -first - second + (2 * n - first + second) * difference
        discriminant = max(0.0, half * half + 8 * n * second * difference * (1 - difference))
        # The most likely share of cases that only the second arm gets right, under this difference.
        only_second = (math.sqrt(discriminant) - half) / (4 * n)
        variance = n * (2 * only_second + difference * (1 - difference))
        distance = first - second - n * difference
        if variance <= 1e-15:
            return 0.0 if abs(distance) < 1e-12 else math.copysign(math.inf, distance)
        return distance / math.sqrt(variance)

    estimate = (first - second) / n
    return _crossing(statistic, -1.0, estimate, quantile), _crossing(statistic, estimate, 1.0, -quantile)


def _crossing(falling: Callable[[float], float], left: float, right: float, value: float) -> float:
    """Where a falling function passes the value between two points, to 1e-10."""
    while right - left > 1e-10:
        middle = (left + right) / 2
        if falling(middle) > value:
            left = middle
        else:
            right = middle
    return (left + right) / 2


def difference_from_best(differences: Sequence[PairedScores], tail: float = 0.025) -> Interval:
    """One arm minus the best of several others, with an interval that holds although the best is chosen on the same cases.

    The difference from the best is the smallest of the differences. Its lower limit is the smallest of the lower limits, each at the
    full tail: the best arm's own limit is too high at most that often (an intersection-union test, Berger 1982). Its upper limit is the
    smallest of the upper limits, each at the tail divided by the number of arms (Bonferroni), since any one of them may be too low.
    Raises ValueError for no arms.
    """
    if not differences:
        raise ValueError("there is nothing to compare with")
    limits = [difference.interval(tail, tail / len(differences)) for difference in differences]
    return Interval(min(each.estimate for each in limits), min(each.low for each in limits), min(each.high for each in limits))
