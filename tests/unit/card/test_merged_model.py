"""The card says whether what will be served is what was measured, and no more than the frozen cases can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.scoring.test_verdict import arm, first
from tuneproof.engine.card.merged_model import MergeOutcome, make_served
from tuneproof.engine.scoring.verdict import ScoredArm


def reworded(arm: ScoredArm, count: int) -> ScoredArm:
    """The arm with other texts for its last answers, each as right or wrong as before."""
    kept, last = arm.predictions[:-count], arm.predictions[-count:]
    return replace(arm, predictions=[*kept, *(p.model_copy(update={"output": p.output + "!"}) for p in last)])


@pytest.mark.parametrize(
    ("merged", "outcome", "told"),
    [
        (first(50), MergeOutcome.SAME_ANSWERS, "the same answer to each of the 60 frozen cases: what will be served is what was measured."),
        (
            first(49),
            MergeOutcome.NOT_TOLD_APART,
            "gives 1 of 60 frozen cases another answer: 1 right before and wrong now, 0 the other way; -2 points",
        ),
        (first(30), MergeOutcome.WORSE, "20 right before and wrong now, 0 the other way"),
        (first(60), MergeOutcome.BETTER, "What will be served is better than what was measured."),
    ],
)
def test_the_interval_decides_what_is_said(merged: Sequence[bool], outcome: MergeOutcome, told: str) -> None:
    found = make_served(arm("tuned_merged", merged), arm("tuned", first(50)), "abc")
    assert found.outcome is outcome and told in found.summary and found.sha256 == "abc"


def test_a_worse_merge_is_not_to_be_served() -> None:
    found = make_served(arm("tuned_merged", first(30)), arm("tuned", first(50)), "abc")
    assert found.summary.endswith("serve the adapter on the base that it was trained on.")


def test_other_words_that_are_as_right_are_counted_and_not_called_the_same() -> None:
    found = make_served(reworded(arm("tuned_merged", first(50)), 3), arm("tuned", first(50)), "abc")
    assert found.answers_changed == 3 and found.outcome is MergeOutcome.NOT_TOLD_APART
    assert "3 of 60 frozen cases another answer: 0 right before and wrong now" in found.summary
