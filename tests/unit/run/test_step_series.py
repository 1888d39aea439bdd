"""A curve holds every step in little room, and is thinned for a plot without moving it."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.run.events import StepLogged
from tuneproof.engine.run.step_series import Column, StepSeries


def curve(losses: list[float]) -> StepSeries:
    made = StepSeries()
    for number, loss in enumerate(losses, 1):
        made.append(
            StepLogged(
                ts=100.0 + number,
                step=number,
                of=len(losses),
                epoch=1.0,
                loss=loss,
                learning_rate=number / 10,
                grad_norm=2.0 * number,
                tokens_per_second=3.0 * number,
            )
        )
    return made


def test_every_column_holds_what_the_step_said() -> None:
    made = curve([0.5, 0.25])
    assert len(made) == 2 and list(made.step) == [1, 2] and list(made.ts) == [101.0, 102.0] and list(made.loss) == [0.5, 0.25]
    by_column = {column: made.points(9, column)[1] for column in Column}
    assert by_column == {"loss": [0.5, 0.25], "learning_rate": [0.1, 0.2], "grad_norm": [2.0, 4.0], "tokens_per_second": [3.0, 6.0]}


@given(st.lists(st.floats(0, 10), max_size=60), st.integers(2, 70))
def test_a_thinned_curve_has_its_ends_its_order_and_its_range(losses: list[float], most: int) -> None:
    steps, values = curve(losses).points(most)
    assert len(steps) == len(values) == min(most, len(losses))
    if losses:
        assert (steps[0], steps[-1]) == (1, len(losses)) and (values[0], values[-1]) == (losses[0], losses[-1])
        assert all(a < b for a, b in pairwise(steps))
        assert min(losses) - 1e-9 <= min(values) and max(values) <= max(losses) + 1e-9


def test_thinning_averages_runs_of_equal_length() -> None:
    steps, values = curve([9.0, 1.0, 3.0, 5.0, 7.0, 0.0]).points(4)
    assert steps == [1, 2.5, 4.5, 6] and values == [9.0, 2.0, 6.0, 0.0]


def test_a_spike_of_one_step_is_flattened_and_the_mean_stays() -> None:
    losses = [1.0] * 1002
    losses[500] = 101.0
    _, values = curve(losses).points(12)
    assert max(values) == pytest.approx(2.0) and statistics.mean(values[1:-1]) == pytest.approx(1.1)


def test_values_that_are_no_number_are_left_out() -> None:
    assert curve([1.0, math.nan, 3.0]).points(9) == ([1.0, 3.0], [1.0, 3.0])
    assert curve([1.0, math.nan, 2.0, math.inf, math.nan, 3.0]).points(4) == ([1.0, 2.5, 6.0], [1.0, 2.0, 3.0])


def test_a_plot_of_fewer_than_two_points_is_refused() -> None:
    with pytest.raises(ValueError, match="two points"):
        curve([1.0]).points(1)


def test_the_pace_is_that_of_the_recent_steps_and_of_no_other_process() -> None:
    made = curve([1.0] * 10)
    assert StepSeries().seconds_per_step(3) is None and made.seconds_per_step(3) == 1.0
    made.truncate_after(4)
    assert list(made.step) == [1, 2, 3, 4] and len(made.loss) == 4 and made.seconds_per_step(3) is None
    for number, ts in ((5, 1000.0), (6, 1004.0)):
        step = StepLogged(ts=ts, step=number, of=9, epoch=1.0, loss=1.0, learning_rate=1.0, grad_norm=1.0, tokens_per_second=1.0)
        made.append(step)
    assert made.seconds_per_step(3) == 4.0


def test_a_clock_that_was_set_back_makes_no_negative_pace() -> None:
    made = curve([1.0] * 3)
    made.ts[-1] = 0.0
    assert made.seconds_per_step(9) == 0.0
