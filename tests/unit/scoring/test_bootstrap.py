"""Bootstrap intervals have their nominal coverage, also if cases of one group are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tuneproof.engine.scoring import bootstrap
from tuneproof.engine.scoring.bootstrap import paired_bootstrap


def mean_of(values: NDArray[np.float64]) -> Callable[[NDArray[np.intp]], float]:
    return lambda cases: float(values[cases].mean())


def test_the_interval_of_a_mean_is_the_analytic_one() -> None:
    values = np.random.default_rng(1).normal(0.3, 0.2, 400)
    found = paired_bootstrap(mean_of(values), 400)
    half = 1.966 * values.std(ddof=1) / np.sqrt(400)
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.002)


def test_the_interval_covers_the_true_difference_of_partial_credit_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 simulated eval sets of 40 cases whose scores are thirds: the 95 % interval contains the true difference in at least 92 %."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 300)
    draw = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        hard = draw.random(40)
        first = draw.binomial(3, 0.9 - 0.3 * hard) / 3
        second = draw.binomial(3, 0.7 - 0.3 * hard) / 3
        found = paired_bootstrap(mean_of(first - second), 40)
        covered += found.low <= 0.2 <= found.high
    assert covered >= 0.92 * 300


def test_with_groups_the_interval_is_wider_and_still_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """150 simulated eval sets of 25 groups of 8 cases; the cases of a group are nearly equal."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)
    draw = np.random.default_rng(3)
    groups = [str(at // 8) for at in range(200)]
    covered = naive = 0
    for _ in range(150):
        values = np.repeat(draw.normal(0.1, 0.3, 25), 8) + draw.normal(0, 0.02, 200)
        by_group, by_case = (paired_bootstrap(mean_of(values), 200, each) for each in (groups, None))
        covered += by_group.low <= 0.1 <= by_group.high
        naive += by_case.low <= 0.1 <= by_case.high
    assert covered >= 0.91 * 150 > naive


def test_one_group_has_no_interval() -> None:
    with pytest.raises(ValueError):
        paired_bootstrap(mean_of(np.ones(3)), 3, ["a", "a", "a"])
