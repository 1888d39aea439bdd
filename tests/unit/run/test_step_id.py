"""The names of steps: what is on disk is what it always was, and nothing else is a step."""

from __future__ import annotations

import pytest

from tuneproof.engine.run.step_id import StepId, StepKind

ON_DISK = {
    "case": StepId(StepKind.CASE),
    "route": StepId(StepKind.ROUTE),
    "model": StepId(StepKind.MODEL),
    "audit": StepId(StepKind.AUDIT),
    "split": StepId(StepKind.SPLIT),
    "catalogue": StepId(StepKind.CATALOGUE),
    "judge": StepId(StepKind.JUDGE),
    "judged tuned:zero_shot": StepId(StepKind.JUDGED, "tuned:zero_shot"),
    "arm few_shot": StepId.arm("few_shot"),
    "failures": StepId(StepKind.FAILURES),
    "method": StepId(StepKind.METHOD),
    "train": StepId(StepKind.TRAIN),
    "merge": StepId(StepKind.MERGE),
    "overfitting": StepId(StepKind.OVERFITTING),
    "drift": StepId(StepKind.DRIFT),
    "merged": StepId(StepKind.MERGED_SCORES),
    "form merged_float16": StepId(StepKind.FORM_SCORES, "merged_float16"),
    "curve 25 train": StepId(StepKind.CURVE_TRAIN, "25"),
    "curve 25": StepId(StepKind.CURVE_SCORES, "25"),
    "compared full method": StepId(StepKind.COMPARED_METHOD, "full"),
    "compared full train": StepId(StepKind.COMPARED_TRAIN, "full"),
    "compared full": StepId(StepKind.COMPARED_SCORES, "full"),
    "repaired zero_shot": StepId(StepKind.REPAIRED_SCORES, "zero_shot"),
    "seed 2 train": StepId(StepKind.SEED_TRAIN, "2"),
    "seed 2": StepId(StepKind.SEED_SCORES, "2"),
    "behaviour safety": StepId(StepKind.BEHAVIOUR, "safety"),
    "card": StepId(StepKind.CARD),
}


@pytest.mark.parametrize("text", ON_DISK)
def test_a_step_is_written_and_read_as_runs_have_it(text: str) -> None:
    assert str(ON_DISK[text]) == text and StepId.parse(text) == ON_DISK[text]


def test_every_kind_of_step_has_its_text() -> None:
    assert {step.kind for step in ON_DISK.values()} == set(StepKind)


@pytest.mark.parametrize(
    "text", ["", "arm", "arm ", "arm few shot", "arms few_shot", "training", "curve 25 trained", "compared full plan", "Card"]
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a step of a run"):
        StepId.parse(text)


def test_a_step_has_a_name_if_its_kind_has_one() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        StepId(StepKind.ARM)
    with pytest.raises(ValueError, match="has no name"):
        StepId(StepKind.CARD, "of the run")
