"""The card says whether the merged model is the one that was measured, and no more than the eval cases show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.scoring.test_verdict import MEASURE, arm, first
from tuneproof.engine.card.merged_model import MergeOutcome, ServedSection, TriedForm, form_lines, make_served, with_forms
from tuneproof.engine.run.served_form import FormFacts
from tuneproof.engine.run.variants import ServedForm
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


def form(form: ServedForm, scored: ScoredArm, size: int = 4_100_000) -> TriedForm:
    return TriedForm(FormFacts(form=form, weights_bytes=size, sha256="abc"), scored)


def of_run(kept: TriedForm, *tried: TriedForm) -> ServedSection:
    """The section of a run that kept one form and put others aside; the tuned arm has 50 of 60 right."""
    tuned = arm("tuned", first(50))
    return with_forms(make_served(MEASURE, kept.scored, tuned, "abc"), MEASURE, tuned, kept, tried)


def test_a_form_that_agrees_at_once_is_named_with_its_size_in_one_sentence() -> None:
    found = of_run(form(ServedForm.MERGED_BFLOAT16, arm("tuned_merged", first(50))))
    assert found.summary.endswith("on this machine. Its weights take 4.1 MB.") and form_lines(found) == []
    assert found.advised is ServedForm.MERGED_BFLOAT16


WORSE = form(ServedForm.MERGED_BFLOAT16, arm("tuned_merged_bfloat16", first(30)))
IN_BFLOAT16 = form(ServedForm.ADAPTER_BFLOAT16, arm("tuned_adapter_bfloat16", first(48)))


def test_the_smallest_form_that_agrees_is_served_and_the_card_says_what_the_others_lost() -> None:
    found = of_run(form(ServedForm.MERGED_FLOAT16, arm("tuned_merged", first(50))), WORSE, IN_BFLOAT16)
    assert found.advised is ServedForm.MERGED_FLOAT16
    assert "base in float16" in found.summary and found.summary.endswith("4.1 MB, the smallest form tried whose answers agree.")
    lines = form_lines(found)
    assert lines[0].startswith("merged in bfloat16, 4.1 MB: 20 of 60 answers differ, -33 points")
    assert lines[1].startswith("the adapter on a base in bfloat16, 4.1 MB: 2 of 60 answers differ") and lines[2].endswith("agrees")
    assert "the adapter in bfloat16 shows what the number type changes without merging" in lines[3]
    assert lines[-1] == "answers agree if at least 98% of the answers are the same text, and the score is at most 1 point lower"


def test_the_adapter_is_to_be_served_if_no_merged_form_agrees() -> None:
    found = of_run(form(ServedForm.MERGED_FLOAT32, arm("tuned_merged", first(45)), 8_200_000), WORSE)
    assert found.advised is None
    assert found.summary.startswith("No merged form gives the answers that were measured: serve the adapter")


def test_a_form_that_could_not_be_tried_is_named_with_the_reason() -> None:
    kept = form(ServedForm.MERGED_BFLOAT16, arm("tuned_merged", first(50)))
    facts = kept.facts.model_copy(update={"not_tried": {ServedForm.MERGED_FLOAT32: "the disk has no room for 8.2 MB"}})
    found = of_run(replace(kept, facts=facts))
    assert "merged in float32: not tried, since the disk has no room for 8.2 MB" in form_lines(found)


def test_a_run_of_an_earlier_version_advises_its_merged_model_if_every_answer_is_the_same() -> None:
    tuned = arm("tuned", first(50))
    assert make_served(MEASURE, arm("tuned_merged", first(50)), tuned, "abc").advised is ServedForm.MERGED_BFLOAT16
    assert make_served(MEASURE, arm("tuned_merged", first(49)), tuned, "abc").advised is None
