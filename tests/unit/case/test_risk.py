"""What may still change about the measures outside the task."""

from __future__ import annotations

from tuneproof.engine.case.risk import Axis, Risk


def test_before_anything_is_measured_everything_may_change() -> None:
    assert Risk().change_of(Risk(margin=0.1, minutes=0, cases=50), []) is None


def test_the_margin_stands_once_an_axis_is_measured() -> None:
    found = Risk().change_of(Risk(margin=0.1), [Axis.SAFETY])
    assert found is not None and "risk.margin" in found


def test_a_measured_axis_stays_and_another_may_be_added() -> None:
    before = Risk(safety=False)
    assert before.change_of(Risk(), [Axis.FORGETTING]) is None
    assert before.change_of(Risk(safety=False, forgetting=False), [Axis.FORGETTING]) == "forgetting is measured, and stays in the evidence"


def test_no_minutes_measure_nothing() -> None:
    assert not any(Risk(minutes=0).measures(axis) for axis in Axis)
