"""Whether what will be served is what was measured: the merged model against the adapter on its base, on the same frozen cases."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.verdict import PairedDifference, ScoredArm, format_p_value, format_points, paired_difference


class MergeOutcome(StrEnum):
    """How the merged model compares with what was measured."""

    SAME_ANSWERS = "same answers"
    NOT_TOLD_APART = "not told apart"
    BETTER = "better"
    WORSE = "worse"
    NOT_MERGED = "not merged"


class ServedSection(BaseModel):
    """The merged model on the frozen cases, and how its answers differ from those of the tuned arm; the sentence says it all.

    `difference` is merged minus tuned. Where nothing was merged there are no figures, and the sentence has the reason.
    """

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    summary: Sentence
    outcome: MergeOutcome = Field(alias="likeness")
    correct: Rate | None = None
    format_valid: Rate | None = None
    answers_changed: int | None = None
    difference: PairedDifference | None = None
    sha256: str | None = None


def make_served(merged: ScoredArm, tuned: ScoredArm, sha256: str) -> ServedSection:
    """What the card says of a merged model with this digest."""
    difference = paired_difference(merged, tuned)
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
    """What the card says where there is no merged model."""
    return ServedSection(summary=f"Not merged: {why}.", outcome=MergeOutcome.NOT_MERGED)


def outcome_of(changed: int, difference: PairedDifference) -> MergeOutcome:
    """The outcome, where so many answers are other texts: the interval of the difference decides, not the rates."""
    if changed == 0:
        return MergeOutcome.SAME_ANSWERS
    if difference.low > 0:
        return MergeOutcome.BETTER
    return MergeOutcome.WORSE if difference.high < 0 else MergeOutcome.NOT_TOLD_APART


def _summary(outcome: MergeOutcome, changed: int, n: int, difference: PairedDifference) -> str:
    merged = "Merged into the unquantised base in bfloat16"
    if outcome is MergeOutcome.SAME_ANSWERS:
        return f"{merged}, the model gives the same answer to each of the {n} frozen cases: what will be served is what was measured."
    won, lost = difference.only_tuned_right, difference.only_untuned_right
    told = (
        f"{merged}, the model gives {changed} of {n} frozen cases another answer: {lost} right before and wrong now, {won} the other way; "
        f"{format_points(difference)}, {format_p_value(difference.p_value)}"
    )
    match outcome:
        case MergeOutcome.WORSE:
            return f"{told}. What would be served is worse than what was measured: serve the adapter on the base that it was trained on."
        case MergeOutcome.BETTER:
            return f"{told}. What will be served is better than what was measured."
        case _:
            return f"{told}. These cases cannot tell what will be served from what was measured."
