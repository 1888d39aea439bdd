"""The learning curve: whether more labels would help, as far as the frozen cases can tell."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.verdict import PairedDifference, ScoredArm, format_p_value, format_points, paired_difference

WHOLE = 100
"""The share of the tuned arm, which learned from all of train."""

HARDLY = 0.03
"""Three points: a doubling that changes less than this is said to hardly help."""

LIMITS = (
    "Each share was trained once, with one seed: how much one training differs from the next is not in the intervals.",
    "All shares were trained for the same number of epochs, so half the labels were also half the steps.",
    "Nothing is said about more than twice the labels.",
)
"""What the reader has to know to read the curve for what it is."""


NAMED = 6
"""How many missing labels are named before it is said how many more there are."""


class Slope(StrEnum):
    """What the last doubling of the labels did."""

    COMPLETE = "complete"
    FLAT = "flat"
    RISING = "rising"
    FALLING = "falling"
    UNCLEAR = "unclear"
    NOT_MEASURED = "not measured"


class CurvePoint(BaseModel):
    """The model that learned from a share of train, in per cent, on the frozen cases.

    `missing_labels` are those of a choice task that train has and this share has not: such cases it cannot have learned.
    """

    model_config = ConfigDict(extra="forbid")

    share: int
    examples: int
    correct: Rate
    format_valid: Rate
    missing_labels: list[str]


class CurveChange(BaseModel):
    """What came of about twice the labels, on the same cases."""

    model_config = ConfigDict(extra="forbid")

    from_share: int
    to_share: int
    difference: PairedDifference


class LearningCurveSection(BaseModel):
    """The points, smallest share first, the differences between neighbours, and what the last of these says."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    slope: Slope
    points: list[CurvePoint]
    changes: list[CurveChange]
    not_measured: list[int]
    """Shares that could not be cut from train."""


def make_curve(measured: Sequence[tuple[CurvePoint, ScoredArm]], not_measured: Sequence[int]) -> LearningCurveSection:
    """The curve from its points, smallest share first; the last is the tuned arm. Raises ValueError where that is not there."""
    told = [point for point, _ in measured]
    if not told or told[-1].share != WHOLE:
        raise ValueError("the last point of a learning curve is the whole of train")
    changes = [
        CurveChange(from_share=before.share, to_share=after.share, difference=paired_difference(more, fewer))
        for (before, fewer), (after, more) in pairwise(measured)
        if 2 * before.share == after.share
    ]
    last = changes[-1].difference if changes and changes[-1].to_share == WHOLE else None
    slope = slope_of(last, told[-1].correct)
    return LearningCurveSection(
        summary=_summary(slope, told, last, measured[-1][1].scores.n),
        slope=slope,
        points=told,
        changes=changes,
        not_measured=list(not_measured),
    )


def slope_of(last: PairedDifference | None, correct: Rate) -> Slope:
    """What the difference between the whole of train and half of it says, where the whole answers this share of the cases.

    An interval that lies wholly within three points is flat even where it excludes zero: what is sure may still be too little to label for.
    """
    if last is None:
        return Slope.NOT_MEASURED
    if correct.rate == 1:
        return Slope.COMPLETE
    if last.low > -HARDLY and last.high < HARDLY:
        return Slope.FLAT
    if last.low > 0:
        return Slope.RISING
    return Slope.FALLING if last.high < 0 else Slope.UNCLEAR


def _summary(slope: Slope, told: Sequence[CurvePoint], last: PairedDifference | None, n: int) -> str:
    if last is None:
        return "Whether more labels would help was not measured: train could not be cut in half."
    before, after = told[-2], told[-1]
    change = f"From {before.examples:,} to {after.examples:,} labels: {format_points(last)}, {format_p_value(last.p_value)}"
    match slope:
        case Slope.COMPLETE:
            reading = f"all {n} cases are right, so on these cases more labels have nothing left to mend"
        case Slope.FLAT:
            reading = f"flat, within {100 * HARDLY:.0f} points either way: doubling the labels again would hardly help"
        case Slope.RISING:
            reading = "still rising, as the interval excludes zero: the last doubling helped, and the next one may"
        case Slope.FALLING:
            reading = "falling, as the interval excludes zero: look at what the later labels say before adding more"
        case _:
            reading = f"these {n} cases cannot tell whether more labels would help"
    return f"{change}: {reading}."


def curve_lines(curve: LearningCurveSection) -> list[str]:
    """The curve for a reader: its points, the earlier differences, what could not be measured, and the limits of it all."""
    lines = [_point(point) for point in curve.points]
    lines += [
        f"from {change.from_share} % to {change.to_share} % of train: "
        f"{format_points(change.difference)}, {format_p_value(change.difference.p_value)}"
        for change in curve.changes
        if change.to_share != WHOLE
    ]
    why = "train cannot be cut there, as its groups are too large or its rows too few"
    lines += [f"{share} % was not measured: {why}" for share in curve.not_measured]
    return [*lines, *LIMITS]


def _point(point: CurvePoint) -> str:
    rate, low, high = (100 * value for value in (point.correct.rate, point.correct.low, point.correct.high))
    told = f"{point.share} % of train, {point.examples:,} labels: {rate:.1f} % correct [{low:.1f}, {high:.1f}]"
    missing = point.missing_labels
    if not missing:
        return told
    named = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else "")
    return f"{told}; without the label{'s' if len(missing) > 1 else ''} {named}"
