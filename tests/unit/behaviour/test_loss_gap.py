"""The losses part where validation rises while train falls, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.engine.behaviour.loss_gap import loss_gap
from tuneproof.engine.run.training_history import LossPoint, ProbePoint, TrainingHistory


def history(train: Sequence[float], validation: Sequence[float | None]) -> TrainingHistory:
    """Two steps a probe; `train` has the mean of both."""
    losses = [LossPoint(step=2 * at + half, loss=loss) for at, loss in enumerate(train) for half in (1, 2)]
    probes = [ProbePoint(step=2 * at, cases=24, loss=loss, format_valid=1.0, correct=1.0) for at, loss in enumerate(validation, 1)]
    return TrainingHistory(losses=losses, probes=probes)


def test_the_gap_opens_at_the_lowest_validation_loss() -> None:
    found = loss_gap(history([2, 1, 0.5, 0.1], [2, 1.2, 1.4, 1.9]), kept_step=8)
    assert found is not None and found.opened and found.kept_after
    assert (found.lowest.step, found.lowest.validation, found.last.train) == (4, 1.2, 0.1)


def test_a_step_that_was_kept_before_it_opened_is_not_behind_it() -> None:
    found = loss_gap(history([2, 1, 0.5, 0.1], [2, 1.2, 1.4, 1.9]), kept_step=4)
    assert found is not None and found.opened and not found.kept_after


@pytest.mark.parametrize(
    ("train", "validation"),
    [([2, 1, 0.5], [2, 1.2, 0.9]), ([2, 1, 0.5], [2, 1.0, 1.04]), ([2, 1, 1.3], [2, 1.0, 1.5])],
    ids=["both fall", "validation rises by less than counts", "both rise, which is no overfitting"],
)
def test_no_gap_is_said_where_none_opens(train: list[float], validation: list[float | None]) -> None:
    found = loss_gap(history(train, validation), kept_step=6)
    assert found is not None and not found.opened


def test_two_probes_or_losses_that_are_not_finite_show_nothing() -> None:
    assert loss_gap(history([2, 1], [2, 1]), kept_step=4) is None
    assert loss_gap(history([2, 1, 1], [2, None, 1]), kept_step=4) is None
