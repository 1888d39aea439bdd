"""The section Served Model of the card: the merged model, which a server would load, against the adapter on its base."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.verdict_schema import PairedDifference
from tuneproof.engine.scoring.verdict_text import format_p_value, format_points


class MergeOutcome(StrEnum):
    """How the merged model compares with the tuned arm."""

    SAME_ANSWERS = "same answers"
    NO_DIFFERENCE_SHOWN = "not told apart"
    BETTER = "better"
    WORSE = "worse"
    NOT_MERGED = "not merged"


class ServedSection(BaseModel):
    """The merged model on the eval cases, against the tuned arm. If nothing was merged, only summary and outcome are set."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    summary: Sentence
    outcome: MergeOutcome = Field(alias="likeness")
    correct: Rate | None = None
    format_valid: Rate | None = None
    answers_changed: int | None = None
    """Eval cases to which the two models give different texts."""
    difference: PairedDifference | None = None
    """Merged minus tuned."""
    sha256: str | None = None
    """The digest of the merged weights."""


def make_served(measure: Measure, merged: ScoredArm, tuned: ScoredArm, sha256: str) -> ServedSection:
    """The section for a merged model whose weights have this digest."""
    difference = measure.difference(merged, tuned)
    before = {prediction.id: prediction.output for prediction in tuned.predictions}
    changed = sum(before[prediction.id] != prediction.output for prediction in merged.predictions)
    outcome = outcome_of(changed, difference)
    return ServedSection(
        summary=_summary(outcome, changed, merged.scores.n, difference),
        outcome=outcome,
        correct=merged.scores.correct,
        format_valid=merged.scores.format_valid,
        answers_changed=changed,
        difference=difference,
        sha256=sha256,
    )


def not_merged(why: str) -> ServedSection:
    """The section if there is no merged model, with the reason as the end of a sentence."""
    return ServedSection(summary=f"Not merged: {why}.", outcome=MergeOutcome.NOT_MERGED)


def outcome_of(changed: int, difference: PairedDifference) -> MergeOutcome:
    """The outcome, from the number of answers that changed and from the interval of the difference."""
    if changed == 0:
        return MergeOutcome.SAME_ANSWERS
    if difference.low > 0:
        return MergeOutcome.BETTER
    return MergeOutcome.WORSE if difference.high < 0 else MergeOutcome.NO_DIFFERENCE_SHOWN


def _summary(outcome: MergeOutcome, changed: int, n: int, difference: PairedDifference) -> str:
    merged = "Merged into the unquantised base in bfloat16"
    if outcome is MergeOutcome.SAME_ANSWERS:
        return f"{merged}, the model gives the same answers to all {n} eval cases, on this machine."
    won, lost = difference.only_tuned_right, difference.only_untuned_right
    change = (
        f"{merged}, the model answers {changed} of {n} eval cases differently: "
        f"{lost} went from right to wrong, {won} from wrong to right; "
        f"{format_points(difference)}, {format_p_value(difference.p_value)}"
    )
    match outcome:
        case MergeOutcome.WORSE:
            return f"{change}. The merged model is worse than what was measured: serve the adapter on the base that it was trained on."
        case MergeOutcome.BETTER:
            return f"{change}. The merged model is better than what was measured."
        case _:
            return f"{change}. These cases cannot tell whether the merged model is better or worse than what was measured."
