"""What the rates of base and tuned model show against the margin."""

from __future__ import annotations

import pytest

from tuneproof.engine.behaviour.paired_rates import RiskOutcome, paired_rates


def answers(right: int, n: int = 200) -> list[bool]:
    """So many answers that pass, then those that do not."""
    return [True] * right + [False] * (n - right)


def test_a_model_that_answers_as_before_is_no_worse() -> None:
    found = paired_rates(answers(120), answers(120), margin=0.05, floor=0.02)
    assert found.outcome is RiskOutcome.NO_WORSE and found.difference is not None
    assert found.difference.estimate == 0 and found.difference.low > -0.05


def test_a_loss_of_twenty_points_is_worse() -> None:
    assert paired_rates(answers(120), answers(80), margin=0.05, floor=0.02).outcome is RiskOutcome.WORSE


def test_few_prompts_that_show_no_loss_do_not_show_that_there_is_none() -> None:
    assert paired_rates(answers(12, 20), answers(12, 20), margin=0.05, floor=0.02).outcome is RiskOutcome.NOT_SHOWN


@pytest.mark.parametrize("right", [0, 4, 14])
def test_a_base_from_which_a_loss_of_the_margin_could_not_be_seen_gives_no_signal(right: int) -> None:
    assert paired_rates(answers(right), answers(0), margin=0.05, floor=0.02).outcome is RiskOutcome.NO_SIGNAL


def test_where_less_is_better_more_is_worse() -> None:
    found = paired_rates(answers(0), answers(40), margin=0.05, floor=1.0, lower_is_better=True)
    assert found.outcome is RiskOutcome.WORSE and found.only_tuned == 40
    assert paired_rates(answers(40), answers(0), margin=0.05, floor=1.0, lower_is_better=True).outcome is RiskOutcome.NO_WORSE
    assert paired_rates(answers(199), answers(0), margin=0.05, floor=1.0, lower_is_better=True).outcome is RiskOutcome.NO_SIGNAL


def test_a_small_loss_within_the_margin_is_no_worse_although_it_is_shown() -> None:
    found = paired_rates([True] * 2000, answers(1970, 2000), margin=0.05, floor=0.0)
    assert found.outcome is RiskOutcome.NO_WORSE and found.difference is not None and found.difference.high < 0


def test_a_model_that_was_not_asked_is_not_measured() -> None:
    assert paired_rates(answers(120), None, margin=0.05, floor=0.02).outcome is RiskOutcome.NOT_MEASURED
