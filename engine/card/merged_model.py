"""Whether what will be served is what was measured: the merged model against the adapter on its base, on the same frozen cases."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.verdict import Difference, ScoredArm, difference_of, p_value, points


class Likeness(StrEnum):
    """How the merged model compares with what was measured."""

    SAME_ANSWERS = "same answers"
    NOT_TOLD_APART = "not told apart"
    BETTER = "better"
    WORSE = "worse"
    NOT_MERGED = "not merged"


class Served(BaseModel):
    """The merged model on the frozen cases, and how its answers differ from those of the tuned arm; the sentence says it all.

    `difference` is merged minus tuned. Where nothing was merged there are no figures, and the sentence has the reason.
    """

    model_config = ConfigDict(extra="forbid")

    summary: str
    likeness: Likeness
    correct: Rate | None = None
    format_valid: Rate | None = None
    answers_changed: int | None = None
    difference: Difference | None = None
    sha256: str | None = None


def make_served(merged: ScoredArm, tuned: ScoredArm, sha256: str) -> Served:
    """What the card says of a merged model with this digest."""
    difference = difference_of(merged, tuned)
    before = {prediction.id: prediction.output for prediction in tuned.predictions}
    changed = sum(before[prediction.id] != prediction.output for prediction in merged.predictions)
    likeness = likeness_of(changed, difference)
    return Served(
        summary=_summary(likeness, changed, merged.scores.n, difference),
        likeness=likeness,
        correct=merged.scores.correct,
        format_valid=merged.scores.format_valid,
        answers_changed=changed,
        difference=difference,
        sha256=sha256,
    )


def not_merged(why: str) -> Served:
    """What the card says where there is no merged model."""
    return Served(summary=f"Not merged: {why}.", likeness=Likeness.NOT_MERGED)


def likeness_of(changed: int, difference: Difference) -> Likeness:
    """The likeness, where so many answers are other texts: the interval of the difference decides, not the rates."""
    if changed == 0:
        return Likeness.SAME_ANSWERS
    if difference.low > 0:
        return Likeness.BETTER
    return Likeness.WORSE if difference.high < 0 else Likeness.NOT_TOLD_APART


def _summary(likeness: Likeness, changed: int, n: int, difference: Difference) -> str:
    merged = "Merged into the unquantised base in bfloat16"
    if likeness is Likeness.SAME_ANSWERS:
        return f"{merged}, the model gives the same answer to each of the {n} frozen cases: what will be served is what was measured."
    won, lost = difference.only_tuned_right, difference.only_untuned_right
    told = (
        f"{merged}, the model gives {changed} of {n} frozen cases another answer: {lost} right before and wrong now, {won} the other way; "
        f"{points(difference)}, {p_value(difference.p_value)}"
    )
    match likeness:
        case Likeness.WORSE:
            return f"{told}. What would be served is worse than what was measured: serve the adapter on the base that it was trained on."
        case Likeness.BETTER:
            return f"{told}. What will be served is better than what was measured."
        case _:
            return f"{told}. These cases cannot tell what will be served from what was measured."
