"""A loss curve uses the whole of its axes, and their labels fit."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.tui.widgets.loss_axis import LinearTicks, LogTicks, StepTicks, loss_axis

LOSSES = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@given(LOSSES, st.integers(4, 60))
def test_every_loss_is_on_the_axis_and_the_labels_fit_beside_it(losses: list[float], rows: int) -> None:
    axis = loss_axis(losses)
    assert axis.low < axis.high
    assert all(axis.low <= height <= axis.high for height in axis.heights(losses))
    ticks, labels = (LogTicks(rows) if axis.is_log else LinearTicks(rows)).get_ticks_and_labels(axis.low, axis.high)
    assert len(ticks) == len(labels) <= max(rows, 2)


def test_the_end_of_a_loss_that_falls_far_is_not_a_flat_line() -> None:
    early, late = [2.0, 1.0, 0.3], [0.02, 0.01, 0.005, 0.008]
    axis = loss_axis(early + late)
    heights = axis.heights(late)
    assert axis.is_log
    assert max(heights) - min(heights) > 0.2 * (axis.high - axis.low)


def test_a_loss_that_hardly_falls_fills_its_axis() -> None:
    axis = loss_axis([1.30, 1.25, 1.22])
    assert not axis.is_log
    assert axis.high - axis.low < 0.1


@pytest.mark.parametrize("rows", [6, 12, 30])
def test_a_logarithmic_axis_has_labels_that_are_read_at_once(rows: int) -> None:
    axis = loss_axis([2.1, 0.004])
    ticks, labels = LogTicks(rows).get_ticks_and_labels(axis.low, axis.high)
    assert 2 <= len(ticks) <= rows
    assert all(math.isclose(float(label), 10**tick, rel_tol=0.01) and len(label) <= 6 for tick, label in zip(ticks, labels, strict=True))


@given(st.integers(2, 1_000_000), st.integers(20, 120))
def test_the_last_step_is_on_the_axis_and_no_label_covers_another(end: int, columns: int) -> None:
    right = end * 1.025
    ticks, labels = StepTicks(end, columns).get_ticks_and_labels(0, right)
    assert ticks[-1] == right and labels[-1] == str(end)
    # The labels of round steps are centred, the last one ends at the axis.
    middles = [columns * tick / right for tick in ticks[:-1]]
    ends = [(middle - len(label) / 2, middle + len(label) / 2) for middle, label in zip(middles, labels, strict=False)]
    ends.append((columns - len(labels[-1]), float(columns)))
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
