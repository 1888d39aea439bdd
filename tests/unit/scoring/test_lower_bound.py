"""A target counts as shown only if the exact lower limit reaches it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tuneproof.engine.scoring.lower_bound import (
    cases_to_show_target,
    clopper_pearson_low,
    lower_bound,
    min_cases_for_target,
    min_correct_for_target,
)
from tuneproof.engine.scoring.metric_sums import sums_of_scores


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_limit_is_that_of_scipy(case: tuple[int, int]) -> None:
    right, n = case
    assert clopper_pearson_low(right, n, 0.025) == pytest.approx(binomtest(right, n).proportion_ci(0.95, "exact").low, abs=1e-9)


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_the_fewest_cases_show_the_target_and_one_fewer_does_not(target: float) -> None:
    needed = min_cases_for_target(target)
    assert needed is not None
    assert clopper_pearson_low(needed, needed, 0.025) >= target > clopper_pearson_low(needed - 1, needed - 1, 0.025)
    assert min_correct_for_target(needed, target) == needed and min_correct_for_target(needed - 1, target) is None
    right = min_correct_for_target(4 * needed, target)
    assert right is not None
    assert clopper_pearson_low(right, 4 * needed, 0.025) >= target > clopper_pearson_low(right - 1, 4 * needed, 0.025)


def test_no_number_of_cases_shows_that_a_model_is_never_wrong() -> None:
    assert min_cases_for_target(1.0) is None and min_correct_for_target(10_000, 1.0) is None


def test_the_cases_that_would_show_a_measured_rate_show_it() -> None:
    needed = cases_to_show_target(0.94, 0.9)
    assert needed is not None
    assert clopper_pearson_low(0.94 * needed, needed, 0.025) >= 0.9 > clopper_pearson_low(0.94 * (needed - 1), needed - 1, 0.025)
    assert cases_to_show_target(0.9, 0.9) is None


def test_cases_of_one_cluster_count_as_one() -> None:
    scores, clusters = sums_of_scores([1.0] * 40), np.repeat(np.arange(4), 10)
    assert lower_bound(scores, clusters) <= 0.025 ** (1 / 4) + 1e-9 < lower_bound(scores)
