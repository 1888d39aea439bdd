"""The learning curve says whether more labels would help, and no more than its interval shows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.scoring.test_verdict import MEASURE, arm, first
from tuneproof.engine.card.learning_curve import CurvePoint, LearningCurveSection, Slope, curve_lines, make_curve


def curve(*right: Sequence[bool], missing: Sequence[str] = (), not_measured: Sequence[int] = ()) -> LearningCurveSection:
    shares = [25, 50, 100][-len(right) :]
    measured = []
    for share, answers in zip(shares, right, strict=True):
        scored = arm(f"tuned_{share}", answers)
        labels = list(missing) if share == 25 else []
        rates = {"correct": scored.scores.correct, "format_valid": scored.scores.format_valid}
        measured.append((CurvePoint(share=share, examples=4 * share, missing_labels=labels, **rates), scored))
    return make_curve(MEASURE, measured, not_measured)


@pytest.mark.parametrize(
    ("half", "whole", "slope", "message"),
    [
        (first(30, 100), first(36, 100), Slope.RISING, "still rising, because the interval excludes zero"),
        (first(30), first(30), Slope.UNCLEAR, "these 60 cases cannot tell whether more labels would help"),
        (first(60, 100), first(45, 100), Slope.FALLING, "falling, because the interval excludes zero"),
        (first(600, 1000), first(601, 1000), Slope.FLAT, "flat, within 3 points either way: doubling the labels again would hardly help"),
        (first(500, 1000), first(512, 1000), Slope.FLAT, "would hardly help"),
        (first(50), first(60), Slope.COMPLETE, "all 60 cases are right"),
    ],
)
def test_the_interval_of_the_last_doubling_decides_the_slope(half: list[bool], whole: list[bool], slope: Slope, message: str) -> None:
    found = curve(half, half, whole)
    assert found.slope is slope and message in found.summary
    assert found.summary.startswith("From 200 to 400 labels: ") and " points [" in found.summary


def test_a_certain_but_small_gain_is_flat() -> None:
    found = curve(first(500, 1000), first(500, 1000), first(512, 1000))
    assert found.changes[-1].difference.low > 0 and found.slope is Slope.FLAT


def test_differences_are_paired_by_case() -> None:
    found = curve(first(20), [not right for right in first(40)], first(50))
    assert [(c.from_share, c.to_share) for c in found.changes] == [(25, 50), (50, 100)]
    last = found.changes[-1].difference
    assert (last.only_tuned_right, last.only_untuned_right) == (40, 10) and last.estimate == pytest.approx(0.5, abs=1e-6)


def test_the_text_states_the_limits_of_the_curve() -> None:
    lines = curve_lines(curve(first(10), first(20), first(30), missing=["a", "b", *map(str, range(7))]))
    assert lines[0] == "25 % of train, 100 labels: 16.7 % correct [9.3, 28.0]; no example of the labels a, b, 0, 1, 2, 3 and 3 more"
    assert lines[3].startswith("from 25 % to 50 % of train: +17 points [")
    whole = "\n".join(lines)
    assert "trained on once, with one seed" in whole and "half the steps" in whole and "more than twice the labels" in whole


def test_without_the_point_at_half_there_is_no_slope() -> None:
    found = curve(first(30), not_measured=[25, 50])
    assert found.slope is Slope.NOT_MEASURED and found.changes == [] and "train could not be cut in half" in found.summary
    assert any(line.startswith("50 % of train was not measured") for line in curve_lines(found))
