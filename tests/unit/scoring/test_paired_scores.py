"""The interval of a difference agrees with independent formulas, and the rule is rarely wrong where the truth is known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import ttest_1samp

from tests.bench.verdict import Cell, simulate
from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.grade import Labels
from tuneproof.engine.scoring.metric_sums import sums_of_labels, sums_of_scores
from tuneproof.engine.scoring.paired_scores import PairedScores, difference_from_best, tango_limits
from tuneproof.engine.scoring.statistics import PairedCounts


@pytest.mark.parametrize("counts", [PairedCounts(43, 0, 1, 0), PairedCounts(53, 16, 9, 8), PairedCounts(2, 7, 0, 1)])
def test_tango_s_limits_are_where_the_score_statistic_equals_the_quantile(counts: PairedCounts) -> None:
    n, first, second = counts.n, counts.only_first, counts.only_second

    def statistic(difference: float) -> float:
        """The score statistic with the restricted likelihood maximised numerically."""

        def negative_likelihood(only_second: float) -> float:
            only_first = only_second + difference
            return -float(xlogy(first, only_first) + xlogy(second, only_second) + xlogy(n - first - second, 1 - only_first - only_second))

        bounds = (max(0.0, -difference), (1 - difference) / 2)
        most_likely = minimize_scalar(negative_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        return float((first - second - n * difference) / (n * (2 * most_likely + difference - difference**2)) ** 0.5)

    low, high = tango_limits(counts, 1.959964)
    assert statistic(low) == pytest.approx(1.959964, abs=1e-3)
    assert statistic(high) == pytest.approx(-1.959964, abs=1e-3)


def test_the_interval_of_a_mean_is_student_s_but_for_what_was_not_seen() -> None:
    random = np.random.default_rng(0)
    first, second = random.random(400), random.random(400)
    pair = PairedScores((sums_of_scores(first),), sums_of_scores(second))
    student = ttest_1samp(first - second, 0).confidence_interval(0.95)
    found = pair.interval()
    assert found.low == pytest.approx(student.low, abs=0.001) and found.low < student.low
    assert found.high == pytest.approx(student.high, abs=0.001) and found.high > student.high


def test_macro_f1_is_the_mean_over_labels_and_an_answer_without_a_label_counts_for_none() -> None:
    pairs = [Labels(("a",), ("a",)), Labels(("a",), ("b",)), Labels(("b",), ("b",)), Labels(("c",))]
    sums = sums_of_labels(pairs, ["a", "b", "c"])
    # a: recall 1/2, precision 1/1 -> 2/3; b: recall 1/1, precision 1/2 -> 2/3; c: never answered -> 0.
    assert float(sums.value(sums.sums.sum(0))) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)


def test_few_clusters_are_tested_in_all_ways_to_swap_them() -> None:
    scores = np.array([1.0, 1, 1, 0, 1, 1])
    pair = PairedScores((sums_of_scores(np.repeat(scores, 3)),), sums_of_scores(np.zeros(18)), np.repeat(np.arange(6), 3))
    # Five of six clusters differ, all one way: 2 of the 2^5 ways to swap them are as extreme.
    assert pair.p_value == pytest.approx(2 / 32)


@given(st.builds(PairedCounts, *[st.integers(0, 60)] * 4).filter(lambda counts: counts.n > 0))
def test_swapping_the_arms_mirrors_the_interval(counts: PairedCounts) -> None:
    swapped = PairedCounts(counts.both, counts.only_second, counts.only_first, counts.neither)
    (low, high), (other_low, other_high) = tango_limits(counts, 1.96), tango_limits(swapped, 1.96)
    assert (low, high) == pytest.approx((-other_high, -other_low), abs=1e-8)
    assert -1 <= low <= (counts.only_first - counts.only_second) / counts.n <= high <= 1


def test_one_cluster_says_nothing() -> None:
    pair = PairedScores((sums_of_scores(np.ones(20)),), sums_of_scores(np.zeros(20)), np.zeros(20, np.intp))
    interval = pair.interval()
    assert (interval.low, interval.high, pair.p_value) == (-1, 1, 1)


def test_arms_that_agree_on_all_of_a_few_cases_are_not_known_to_be_equal() -> None:
    pair = PairedScores((sums_of_scores([0.5] * 10),), sums_of_scores([0.5] * 10))
    interval = pair.interval()
    assert interval.low < -0.1 and interval.high > 0.1


def test_the_best_of_several_is_held_against_each_of_them() -> None:
    random = np.random.default_rng(1)
    tuned, *others = (sums_of_scores((random.random(200) < rate).astype(float)) for rate in (0.8, 0.5, 0.6, 0.7))
    pairs = [PairedScores((tuned,), other) for other in others]
    found = difference_from_best(pairs)
    assert found.estimate == min(pair.estimate for pair in pairs)
    assert found.low == min(pair.interval().low for pair in pairs)
    assert found.high >= min(pair.interval().high for pair in pairs)


def test_more_arms_never_narrow_the_interval_from_above() -> None:
    random = np.random.default_rng(2)
    tuned, other = (sums_of_scores((random.random(100) < 0.6).astype(float)) for _ in range(2))
    pair = PairedScores((tuned,), other)
    highs = [difference_from_best([pair] * count).high for count in range(1, 7)]
    assert all(fewer <= more for fewer, more in combinations(highs, 2))


SMALL = [
    Cell(Metric.EXACT_MATCH, 40, 1, 0.3, 1, 0.0, 0.5),
    Cell(Metric.EXACT_MATCH, 80, 4, 0.8, 1, 0.0, 0.87),
    Cell(Metric.EXACT_MATCH, 80, 1, 0.5, 10, 0.0, 0.5),
    Cell(Metric.FIELD_ACCURACY, 80, 2, 0.5, 1, 0.05, 0.6),
    Cell(Metric.MACRO_F1, 80, 1, 0.5, 1, 0.0, 0.5, missing=0.05),
]


@pytest.mark.parametrize("cell", SMALL, ids=str)
def test_the_rule_is_rarely_wrong_where_the_truth_is_known(cell: Cell) -> None:
    """A small version of `python -m tests.bench.verdict`: bounds hold within three standard errors of 400 repetitions."""
    rates = simulate(cell, 400)
    error = 3 * (0.025 * 0.975 / 400) ** 0.5
    assert rates.covered >= 0.94 - error
    assert rates.shown <= 0.025 + error
    if cell.gain == 0:
        assert rates.tune <= 0.025 + error
    else:
        assert rates.do_not_tune <= 0.025 + error
