"""Intervals of differences and ratios: known values, and no certainty where there is none."""

from __future__ import annotations

import pytest

from tuneproof.engine.behaviour.differences import between_means, between_rates, geometric_ratio, paired_shares, ratio_of_sums


def test_the_difference_of_two_proportions_has_the_interval_of_the_paper() -> None:
    # Newcombe 1998, table II: 56/70 against 48/80, method 10.
    found = between_rates(56, 70, 48, 80)
    assert (round(found.estimate, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)


def test_equal_proportions_of_few_cases_are_not_known_to_be_equal() -> None:
    found = between_rates(10, 10, 10, 10)
    assert found.estimate == 0 and found.low < -0.2 and found.high > 0.2


def test_scores_with_partial_credit_are_compared_by_their_means() -> None:
    found = between_means([0.9, 0.8, 0.7, 0.9, 0.8], [0.2, 0.3, 0.1, 0.2, 0.3])
    assert found.estimate == pytest.approx(0.6) and 0.4 < found.low < 0.6 < found.high < 0.8
    assert between_means([0.0, 1.0], [1.0, 1.0]) == between_rates(1, 2, 2, 2)
    assert (between_means([0.5], [0.4, 0.6]).low, between_means([0.5], [0.4, 0.6]).high) == (-1, 1)


def test_shares_of_the_same_texts_are_paired() -> None:
    base = [at / 100 for at in range(100)]
    found = paired_shares([min(1.0, each + 0.1) for each in base], base)
    assert 0.06 < found.low < found.estimate < found.high < 0.13


def test_a_ratio_of_lengths_is_one_where_nothing_changed_and_has_an_interval_where_it_varies() -> None:
    same = ratio_of_sums([3, 5, 8], [3, 5, 8])
    assert (same.low, same.estimate, same.high) == pytest.approx((1, 1, 1))
    found = ratio_of_sums([20, 44, 58, 84, 95], [10, 20, 30, 40, 50])
    assert 1.7 < found.low < 2.0 < found.high < 2.3


def test_a_ratio_that_hangs_on_one_answer_is_no_ratio() -> None:
    with pytest.raises(ValueError, match="hang on one"):
        ratio_of_sums([1, 2, 3], [0, 0, 5])
    with pytest.raises(ValueError, match="two cases"):
        geometric_ratio([0.3])


def test_a_mean_of_logarithms_is_a_ratio() -> None:
    found = geometric_ratio([0.6, 0.7, 0.8] * 20)
    assert found.estimate == pytest.approx(2.0138, abs=1e-4) and 1.9 < found.low < found.high < 2.1
