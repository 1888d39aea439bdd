"""The choice of the untuned arms, and what their scores say."""

from __future__ import annotations

import pytest

from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.events import ArmScored
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.baseline_choice import best_untuned, can_finish_without_training, with_arm_toggled
from tuneproof.engine.session.form_input import InputError


def scored(arm: str, rate: float) -> ArmScored:
    measured = Rate(rate=rate, low=rate, high=rate)
    return ArmScored(arm=arm, n=100, correct=measured, format_valid=measured, tokens_per_case=0.0, seconds_per_case=0.0)


def test_an_arm_is_selected_and_left_out_in_the_order_of_the_arms() -> None:
    assert with_arm_toggled(["constrained"], "zero_shot", is_scored=False) == ["zero_shot", "constrained"]
    assert with_arm_toggled(["zero_shot", "constrained"], "zero_shot", is_scored=False) == ["constrained"]


def test_a_scored_arm_stays_in_the_evidence() -> None:
    with pytest.raises(InputError, match="stays in the evidence"):
        with_arm_toggled(["zero_shot"], "zero_shot", is_scored=True)


def test_an_arm_that_two_chosen_ones_bring_with_them_says_why_it_stays() -> None:
    with pytest.raises(InputError, match="scored wherever few_shot and constrained are: leave out one of them"):
        with_arm_toggled(["few_shot", "constrained"], "few_shot_constrained", is_scored=False)
    assert with_arm_toggled(["few_shot"], "few_shot_constrained", is_scored=False) == ["few_shot", "few_shot_constrained"]
    assert with_arm_toggled(["few_shot", "constrained", "few_shot_constrained"], "constrained", is_scored=False) == [
        "few_shot",
        "few_shot_constrained",
    ]


def test_a_scored_arm_can_be_selected_again() -> None:
    assert with_arm_toggled([], "zero_shot", is_scored=True) == ["zero_shot"]


def test_the_best_untuned_arm_has_the_most_correct_answers() -> None:
    arms = {arm.arm: arm for arm in (scored("zero_shot", 0.4), scored("few_shot", 0.5), scored("tuned", 0.9))}
    best = best_untuned(RunState(arms=arms))
    assert best is not None and best.arm == "few_shot"
    assert best_untuned(RunState()) is None


def test_training_is_not_needed_once_an_untuned_arm_meets_the_target() -> None:
    assert can_finish_without_training(RunState(status=RunStatus.FINISHED), ["few_shot"])
    assert not can_finish_without_training(RunState(status=RunStatus.FINISHED), [])
    assert not can_finish_without_training(RunState(status=RunStatus.RUNNING), ["few_shot"])
