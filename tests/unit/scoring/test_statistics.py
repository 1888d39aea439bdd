"""The intervals agree with published values and have their nominal coverage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.scoring.statistics import (
    PairedCounts,
    cases_to_detect,
    holm,
    mcnemar_exact,
    minimum_detectable_effect,
    wilson,
)

COUNTS = st.builds(PairedCounts, *[st.integers(0, 60)] * 4).filter(lambda c: c.n > 0)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_values_of_newcombe_1998a_table_1(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_mcnemar_on_counts_small_enough_to_do_by_hand() -> None:
    # Seven discordant cases, one against six: 2 * (1 + 7) / 128.
    counts = PairedCounts(10, 6, 1, 3)
    assert mcnemar_exact(counts) == pytest.approx(16 / 128)


@pytest.mark.parametrize(("n", "effect"), [(50, 0.177), (100, 0.125), (200, 0.089), (500, 0.056)])
def test_the_detectable_effect_shrinks_with_the_square_root_of_n(n: int, effect: float) -> None:
    assert minimum_detectable_effect(n) == pytest.approx(effect, abs=6e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_lies_around_the_rate_and_within_zero_and_one(case: tuple[int, int]) -> None:
    interval = wilson(*case)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@given(COUNTS)
def test_swapping_the_arms_changes_no_p_value(counts: PairedCounts) -> None:
    swapped = PairedCounts(counts.both, counts.only_second, counts.only_first, counts.neither)
    assert mcnemar_exact(counts) == pytest.approx(mcnemar_exact(swapped)) and mcnemar_exact(counts) <= 1


def test_holm_gives_the_values_of_a_worked_example() -> None:
    # As `statsmodels.stats.multitest.multipletests(method="holm")` and R's `p.adjust` give them.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0]) and holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_value_nor_changes_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    assert sorted(range(len(p_values)), key=lambda at: (adjusted[at], p_values[at])) == sorted(
        range(len(p_values)), key=p_values.__getitem__
    )


@given(st.floats(0.01, 0.5), st.floats(0.5, 1))
def test_the_needed_number_of_cases_detects_the_difference_and_one_fewer_does_not(difference: float, discordance: float) -> None:
    needed = cases_to_detect(difference, discordance)
    assert needed is not None
    assert minimum_detectable_effect(needed, discordance) <= difference * (1 + 1e-9)
    if needed > 1:
        assert minimum_detectable_effect(needed - 1, discordance) > difference * (1 - 1e-9)


def test_no_number_of_cases_detects_a_difference_of_zero() -> None:
    assert cases_to_detect(0.0, 0.2) is None
    with pytest.raises(ValueError):
        cases_to_detect(0.3, 0.2)


def test_statistics_of_no_cases_are_an_error() -> None:
    with pytest.raises(ValueError):
        wilson(0, 0)
    with pytest.raises(ValueError):
        minimum_detectable_effect(0)
