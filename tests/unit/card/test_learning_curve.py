"""The learning curve is cut so that one share is within the next, and read for no more than the frozen cases can tell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.scoring.test_verdict import arm, first
from tuneproof.engine.card.learning_curve import CurvePoint, LearningCurveSection, Slope, curve_lines, make_curve
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.subsets import missing_labels, nested_subsets
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.stages.learning_curve import plan_for_share


def rows(count: int, speakers: int | None = None) -> list[Example]:
    metadata = [{} if speakers is None else {"speaker": i % speakers} for i in range(count)]
    return [Example("", f"question {i}", f"answer {i}", Source("rows.jsonl", i), metadata=metadata[i]) for i in range(count)]


def curve(*right: Sequence[bool], missing: Sequence[str] = (), not_measured: Sequence[int] = ()) -> LearningCurveSection:
    shares = [25, 50, 100][-len(right) :]
    measured = []
    for share, answers in zip(shares, right, strict=True):
        scored = arm(f"tuned_{share}", answers)
        told = list(missing) if share == 25 else []
        rates = {"correct": scored.scores.correct, "format_valid": scored.scores.format_valid}
        measured.append((CurvePoint(share=share, examples=4 * share, missing_labels=told, **rates), scored))
    return make_curve(measured, not_measured)


@pytest.mark.parametrize(
    ("half", "whole", "slope", "told"),
    [
        (first(30, 100), first(36, 100), Slope.RISING, "still rising, as the interval excludes zero"),
        (first(30), first(30), Slope.UNCLEAR, "these 60 cases cannot tell whether more labels would help"),
        (first(60, 100), first(45, 100), Slope.FALLING, "falling, as the interval excludes zero"),
        (first(600, 1000), first(601, 1000), Slope.FLAT, "flat, within 3 points either way: doubling the labels again would hardly help"),
        (first(500, 1000), first(512, 1000), Slope.FLAT, "would hardly help"),
        (first(50), first(60), Slope.COMPLETE, "all 60 cases are right"),
    ],
)
def test_the_last_doubling_is_read_for_what_its_interval_says(half: list[bool], whole: list[bool], slope: Slope, told: str) -> None:
    found = curve(half, half, whole)
    assert found.slope is slope and told in found.summary
    assert found.summary.startswith("From 200 to 400 labels: ") and " points [" in found.summary


def test_a_sure_difference_too_small_to_label_for_is_called_flat() -> None:
    found = curve(first(500, 1000), first(500, 1000), first(512, 1000))
    assert found.changes[-1].difference.low > 0 and found.slope is Slope.FLAT


def test_the_differences_are_those_of_the_same_cases() -> None:
    found = curve(first(20), [not right for right in first(40)], first(50))
    assert [(c.from_share, c.to_share) for c in found.changes] == [(25, 50), (50, 100)]
    last = found.changes[-1].difference
    assert (last.only_tuned_right, last.only_untuned_right) == (40, 10) and last.estimate == pytest.approx(0.5, abs=1e-6)


def test_the_reader_is_told_what_the_curve_leaves_open() -> None:
    lines = curve_lines(curve(first(10), first(20), first(30), missing=["a", "b", *map(str, range(7))]))
    assert lines[0] == "25 % of train, 100 labels: 16.7 % correct [9.3, 28.0]; without the labels a, b, 0, 1, 2, 3 and 3 more"
    assert lines[3].startswith("from 25 % to 50 % of train: +17 points [")
    whole = "\n".join(lines)
    assert "trained once, with one seed" in whole and "half the steps" in whole and "more than twice the labels" in whole


def test_without_the_half_nothing_is_read_into_the_rest() -> None:
    found = curve(first(30), not_measured=[25, 50])
    assert found.slope is Slope.NOT_MEASURED and found.changes == [] and "train could not be cut in half" in found.summary
    assert any(line.startswith("50 % was not measured") for line in curve_lines(found))


@pytest.mark.parametrize(("count", "sizes"), [(94, {25: 24, 50: 47}), (1000, {25: 250, 50: 500}), (10, {25: 3, 50: 5}), (3, {}), (1, {})])
def test_a_smaller_share_is_within_the_larger_and_follows_from_what_rows_say(count: int, sizes: dict[int, int]) -> None:
    train = rows(count)
    subsets = nested_subsets(train, seed=0)
    assert {share: len(found) for share, found in subsets.items()} == sizes
    if sizes:
        quarter, half = ({row.input for row in subsets[share]} for share in (25, 50))
        assert quarter < half < {row.input for row in train}
        turned = nested_subsets(train[::-1], seed=0)
        assert {row.input for row in turned[25]} == quarter and {row.input for row in turned[50]} == half
        assert {row.input for row in nested_subsets(train, seed=1)[50]} != half or count < 20


def test_a_group_goes_in_whole_and_one_that_is_too_large_leaves_a_share_out() -> None:
    subsets = nested_subsets(rows(200, speakers=40), seed=0, group_by="speaker")
    quarter, half = ({row.metadata["speaker"] for row in subsets[share]} for share in (25, 50))
    assert (len(quarter), len(half)) == (10, 20) and quarter < half
    assert len(subsets[25]) == 50 and len(subsets[50]) == 100
    assert nested_subsets(rows(90, speakers=3), seed=0, group_by="speaker") == {}
    assert nested_subsets(rows(90, speakers=2), seed=0, group_by="speaker").keys() == {50}


def test_labels_that_a_share_lacks_are_known() -> None:
    train = [Example("", str(i), label, Source("rows.jsonl", i)) for i, label in enumerate(["yes", "no ", "maybe", "no", "yes"])]
    assert missing_labels(train[:1], train) == ["maybe", "no"] and missing_labels(train[1:], train) == []


def test_every_share_is_trained_for_the_same_epochs() -> None:
    chosen = make_plan(MethodChoice(name="lora"), Training(epochs=4, max_steps=10, probe_every=3))
    quarter = plan_for_share(chosen, 25)
    assert (quarter.epochs, quarter.max_steps, quarter.probe_every) == (4, 3, 1)
    free = make_plan(MethodChoice(name="lora"), Training())
    assert plan_for_share(free, 25) == free
