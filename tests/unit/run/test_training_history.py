"""The course of a training, as the run stores it for the card."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Probed, StepLogged, TrainingStarted
from tuneproof.engine.run.training_history import history_of

MODEL = "tuned"


def started(resumed_at: int) -> TrainingStarted:
    return TrainingStarted(model=MODEL, method="lora", examples=8, steps=4, resumed_at=resumed_at, trained_parameters=1, all_parameters=2)


def step(number: int, loss: float, model: str = MODEL) -> StepLogged:
    return StepLogged(model=model, step=number, of=4, epoch=0.0, loss=loss, learning_rate=0.0, grad_norm=0.0, tokens_per_second=0.0)


def test_steps_taken_again_after_a_resume_count_once_and_other_models_not_at_all(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        for event in (started(0), step(1, 3.0), step(2, 2.0), step(3, 9.0), step(1, 7.0, model="tuned_25")):
            log.emit(event)
        for event in (started(2), step(3, 1.5), step(4, 1.0)):
            log.emit(event)
    history = history_of(tmp_path / "events.jsonl", MODEL)
    assert [(point.step, point.loss) for point in history.losses] == [(1, 3.0), (2, 2.0), (3, 1.5), (4, 1.0)]


def test_a_validation_loss_that_is_no_number_is_none(tmp_path: Path) -> None:
    probe = Probed(model=MODEL, step=2, n=4, format_valid=0.5, correct=0.25, loss=float("inf"), best=True, samples=[])
    with EventLog(tmp_path / "events.jsonl") as log:
        log.emit(started(0))
        log.emit(step(1, 3.0))
        log.emit(probe)
    (point,) = history_of(tmp_path / "events.jsonl", MODEL).probes
    assert (point.loss, point.format_valid, point.correct) == (None, 0.5, 0.25)
