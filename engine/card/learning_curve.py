"""The learning curve of the card: whether more labels would help, as far as the eval cases show."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.verdict_schema import PairedDifference
from tuneproof.engine.scoring.verdict_text import format_p_value, format_points

WHOLE = 100
"""The share of the tuned arm, which was trained on all of train, in per cent."""

FLAT_MARGIN = 0.03
"""Three points: if doubling the labels changes the rate by less than this, the curve is flat."""

LIMITS = (
    "Each share was trained on once, with one seed: the intervals do not include how much two trainings differ.",
    "All shares were trained on for the same number of epochs, so half the labels also means half the steps.",
    "The curve says nothing about more than twice the labels.",
)
"""What a reader of the curve has to know, as sentences for the card."""

MAX_NAMED_LABELS = 6
"""Missing labels that a line names before it says how many more there are."""


class Slope(StrEnum):
    """What the last doubling of the labels changed."""

    COMPLETE = "complete"
    """All cases are right, so nothing can improve."""
    FLAT = "flat"
    RISING = "rising"
    FALLING = "falling"
    UNCLEAR = "unclear"
    NOT_MEASURED = "not measured"


class CurvePoint(BaseModel):
    """The eval scores of a model that was trained on a share of train."""

    model_config = ConfigDict(extra="forbid")

    share: int
    """In per cent of the rows of train."""
    examples: int
    correct: Rate
    format_valid: Rate
    missing_labels: list[str]
    """Labels of a choice task that train has and this share does not, so that the model was never trained on them."""


class CurveChange(BaseModel):
    """The paired difference that about twice the labels made."""

    model_config = ConfigDict(extra="forbid")

    from_share: int
    """In per cent, as `to_share`."""
    to_share: int
    difference: PairedDifference


class LearningCurveSection(BaseModel):
    """The section Learning Curve of the card: the points, smallest share first, and what the last doubling changed."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    slope: Slope
    points: list[CurvePoint]
    changes: list[CurveChange]
    not_measured: list[int]
    """Shares, in per cent, that could not be cut from train."""


def make_curve(measure: Measure, measured: Sequence[tuple[CurvePoint, ScoredArm]], not_measured: Sequence[int]) -> LearningCurveSection:
    """The section from the points of the curve, smallest share first. Raises ValueError if the last one is not the tuned arm."""
    curve_points = [point for point, _ in measured]
    if not curve_points or curve_points[-1].share != WHOLE:
        raise ValueError("the last point of a learning curve is the whole of train")
    changes = [
        CurveChange(from_share=before.share, to_share=after.share, difference=measure.difference(more, fewer))
        for (before, fewer), (after, more) in pairwise(measured)
        if 2 * before.share == after.share
    ]
    last = changes[-1].difference if changes and changes[-1].to_share == WHOLE else None
    slope = slope_of(last, curve_points[-1].correct)
    return LearningCurveSection(
        summary=_summary(slope, curve_points, last, measured[-1][1].scores.n),
        slope=slope,
        points=curve_points,
        changes=changes,
        not_measured=list(not_measured),
    )


def slope_of(last: PairedDifference | None, correct: Rate) -> Slope:
    """The slope, from the difference between all and half of train, and from the rate of correct answers with all of it.

    An interval within FLAT_MARGIN is flat even if it excludes zero: a certain gain can still be too small to label for.
    """
    if last is None:
        return Slope.NOT_MEASURED
    if correct.rate == 1:
        return Slope.COMPLETE
    if last.low > -FLAT_MARGIN and last.high < FLAT_MARGIN:
        return Slope.FLAT
    if last.low > 0:
        return Slope.RISING
    return Slope.FALLING if last.high < 0 else Slope.UNCLEAR


def _summary(slope: Slope, curve_points: Sequence[CurvePoint], last: PairedDifference | None, n: int) -> str:
    if last is None:
        return "Whether more labels would help was not measured, because train could not be cut in half."
    before, after = curve_points[-2], curve_points[-1]
    change = f"From {before.examples:,} to {after.examples:,} labels: {format_points(last)}, {format_p_value(last.p_value)}"
    match slope:
        case Slope.COMPLETE:
            reading = f"all {n} cases are right, so more labels cannot improve the score on these cases"
        case Slope.FLAT:
            reading = f"flat, within {100 * FLAT_MARGIN:.0f} points either way: doubling the labels again would hardly help"
        case Slope.RISING:
            reading = "still rising, because the interval excludes zero: the last doubling helped, and the next one may help too"
        case Slope.FALLING:
            reading = "falling, because the interval excludes zero: check the labels before adding more"
        case _:
            reading = f"these {n} cases cannot tell whether more labels would help"
    return f"{change}: {reading}."


def curve_lines(curve: LearningCurveSection) -> list[str]:
    """The curve as text: its points, the earlier differences, what could not be measured, and LIMITS."""
    lines = [_point(point) for point in curve.points]
    lines += [
        f"from {change.from_share} % to {change.to_share} % of train: "
        f"{format_points(change.difference)}, {format_p_value(change.difference.p_value)}"
        for change in curve.changes
        if change.to_share != WHOLE
    ]
    why = "its rows are too few or its groups too large to cut it there"
    lines += [f"{share} % of train was not measured: {why}" for share in curve.not_measured]
    return [*lines, *LIMITS]


def _point(point: CurvePoint) -> str:
    rate, low, high = (100 * value for value in (point.correct.rate, point.correct.low, point.correct.high))
    line = f"{point.share} % of train, {point.examples:,} labels: {rate:.1f} % correct [{low:.1f}, {high:.1f}]"
    missing = point.missing_labels
    if not missing:
        return line
    more = len(missing) - MAX_NAMED_LABELS
    named = ", ".join(missing[:MAX_NAMED_LABELS]) + (f" and {more:,} more" if more > 0 else "")
    return f"{line}; no example of the label{'s' if len(missing) > 1 else ''} {named}"
