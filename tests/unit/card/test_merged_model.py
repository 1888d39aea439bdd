"""The card says whether the merged model is the one that was measured, and no more than the eval cases show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.scoring.test_verdict import MEASURE, arm, first
from tuneproof.engine.card.merged_model import MergeOutcome, make_served
from tuneproof.engine.scoring.measure import ScoredArm


def reworded(arm: ScoredArm, count: int) -> ScoredArm:
    """The arm with other texts for its last answers, each as right or wrong as before."""
    kept, last = arm.predictions[:-count], arm.predictions[-count:]
    return replace(arm, predictions=[*kept, *(p.model_copy(update={"output": p.output + "!"}) for p in last)])


@pytest.mark.parametrize(
    ("merged", "outcome", "message"),
    [
        (
            first(50),
            MergeOutcome.SAME_ANSWERS,
            "same answers to all 60 eval cases, on this machine.",
        ),
        (
            first(49),
            MergeOutcome.NO_DIFFERENCE_SHOWN,
            "answers 1 of 60 eval cases differently: 1 went from right to wrong, 0 from wrong to right; -2 points",
        ),
        (first(30), MergeOutcome.WORSE, "20 went from right to wrong, 0 from wrong to right"),
        (first(60), MergeOutcome.BETTER, "The merged model is better than what was measured."),
    ],
)
def test_the_interval_of_the_difference_decides_the_outcome(merged: Sequence[bool], outcome: MergeOutcome, message: str) -> None:
    found = make_served(MEASURE, arm("tuned_merged", merged), arm("tuned", first(50)), "abc")
    assert found.outcome is outcome and message in found.summary and found.sha256 == "abc"


def test_a_worse_merged_model_should_not_be_served() -> None:
    found = make_served(MEASURE, arm("tuned_merged", first(30)), arm("tuned", first(50)), "abc")
    assert found.summary.endswith("serve the adapter on the base that it was trained on.")


def test_answers_in_other_words_are_counted_as_changed() -> None:
    found = make_served(MEASURE, reworded(arm("tuned_merged", first(50)), 3), arm("tuned", first(50)), "abc")
    assert found.answers_changed == 3 and found.outcome is MergeOutcome.NO_DIFFERENCE_SHOWN
    assert "3 of 60 eval cases differently: 0 went from right to wrong" in found.summary
