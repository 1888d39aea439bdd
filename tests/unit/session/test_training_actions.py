"""What can be done about a training, and what the state of its run means."""

from __future__ import annotations

import pytest

from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import CardWritten, Failed, StepLogged, TrainingFinished, TrainingSkipped, TrainingStarted
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.training_actions import (
    TrainingAction,
    TrainingPhase,
    can_train_otherwise,
    clock,
    elapsed_seconds,
    possible_actions,
    training_phase,
)

RUNNING, STOPPED, CRASHED, FINISHED = RunStatus.RUNNING, RunStatus.STOPPED, RunStatus.CRASHED, RunStatus.FINISHED


def started(ts: float = 0.0, model: str = "tuned") -> TrainingStarted:
    return TrainingStarted(ts=ts, model=model, method="lora", examples=9, steps=10, resumed_at=0, trained_parameters=1, all_parameters=2)


def state(status: RunStatus, *events: TrainingStarted | TrainingSkipped | CardWritten | TrainingFinished | StepLogged) -> RunState:
    run = RunState()
    for event in events:
        run.apply(event)
    run.status = status
    return run


CARD = CardWritten(answer="tune", reason="")


@pytest.mark.parametrize("status", [RunStatus.NEW, STOPPED, FINISHED])
def test_a_training_that_never_started_can_be_started(status: RunStatus) -> None:
    assert possible_actions(state(status)) == {TrainingAction.START}


@pytest.mark.parametrize("status", [STOPPED, CRASHED, RunStatus.FAILED])
def test_a_training_that_was_interrupted_can_be_resumed(status: RunStatus) -> None:
    assert possible_actions(state(status, started())) == {TrainingAction.RESUME}


def test_a_running_training_can_be_stopped_or_left_running() -> None:
    assert possible_actions(state(RUNNING, started())) == {TrainingAction.STOP, TrainingAction.LEAVE_RUNNING}


def test_nothing_can_be_started_once_the_card_is_written() -> None:
    assert possible_actions(state(FINISHED, started(), CARD)) == set()


def test_the_phase_follows_the_run() -> None:
    assert training_phase(state(RunStatus.NEW)) is TrainingPhase.NOT_STARTED
    assert training_phase(state(RUNNING, started())) is TrainingPhase.TRAINING
    assert training_phase(state(STOPPED, started())) is TrainingPhase.STOPPED
    assert training_phase(state(CRASHED, started())) is TrainingPhase.CRASHED
    assert training_phase(state(FINISHED, started(), CARD)) is TrainingPhase.DONE
    assert training_phase(state(FINISHED, TrainingSkipped(reason="the route is RAG first"))) is TrainingPhase.SKIPPED


def test_a_run_that_was_stopped_before_its_training_can_still_start_it() -> None:
    assert training_phase(state(STOPPED)) is TrainingPhase.NOT_STARTED


def test_a_failed_run_is_a_failed_training() -> None:
    run = state(RUNNING, started())
    run.apply(Failed(exit_code=ExitCode.FAILED, message="out of memory"))
    assert training_phase(run) is TrainingPhase.FAILED


def test_the_tuned_model_is_evaluated_after_its_training() -> None:
    run = state(RUNNING, started())
    run.stage = Stage.EVALUATE
    assert training_phase(run) is TrainingPhase.EVALUATING


def test_the_training_of_another_model_is_distinguished_from_that_of_the_tuned_one() -> None:
    assert training_phase(state(RUNNING, started(), started(model="tuned_25"))) is TrainingPhase.TRAINING_VARIANT


def test_time_elapses_until_the_training_has_finished() -> None:
    run = state(RUNNING, started(ts=100.0))
    run.last_ts = 130.0
    assert elapsed_seconds(run) == 30.0
    run.apply(TrainingFinished(ts=150.0, best_step=5, steps=10, seconds=50.0, adapter_sha256="0" * 64))
    run.last_ts = 900.0
    assert elapsed_seconds(run) == 50.0


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (45_296, "12:34:56")])
def test_a_duration_has_hours_only_from_one_hour_on(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(("status", "may"), [(RUNNING, False), (STOPPED, True), (CRASHED, True)])
def test_method_and_settings_may_change_in_a_training_that_was_stopped(status: RunStatus, may: bool) -> None:
    assert can_train_otherwise(state(status, started())) is may
    assert can_train_otherwise(state(status))
    trained = TrainingFinished(steps=10, best_step=10, seconds=1.0, adapter_sha256="")
    assert not can_train_otherwise(state(status, started(), trained))
