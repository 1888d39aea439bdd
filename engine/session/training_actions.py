"""What can be done about the training of a run, and what its state means."""

from __future__ import annotations

from enum import Enum, StrEnum, auto

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import Life, RunState


class TrainingAction(StrEnum):
    """What a person can do about a training."""

    START = "start"
    RESUME = "resume"
    STOP = "stop"
    LEAVE_RUNNING = "leave_running"


def possible_actions(run: RunState) -> set[TrainingAction]:
    """The actions that are possible now; none once the card is written."""
    if run.life is Life.RUNNING:
        return {TrainingAction.STOP, TrainingAction.LEAVE_RUNNING}
    if run.card is not None:
        return set()
    return {TrainingAction.START if run.training is None else TrainingAction.RESUME}


class TrainingPhase(Enum):
    """What a run does for its tuned model, or how that ended."""

    NOT_STARTED = auto()
    TRAINING = auto()
    """Also while an earlier stage runs."""
    EVALUATING = auto()
    TRAINING_CURVE = auto()
    """A model of the learning curve trains, or answers."""
    TRAINING_COMPARED = auto()
    """A model of another method, to compare, trains or answers."""
    SKIPPED = auto()
    STOPPED = auto()
    FAILED = auto()
    CRASHED = auto()
    DONE = auto()


def training_phase(run: RunState) -> TrainingPhase:
    """The phase of a run's training."""
    if run.life is Life.CRASHED:
        return TrainingPhase.CRASHED
    if run.life is Life.FAILED and run.failure is not None:
        return TrainingPhase.FAILED
    if run.training_skipped is not None:
        return TrainingPhase.SKIPPED
    if run.life is Life.RUNNING:
        return _running_phase(run)
    if run.card is not None:
        return TrainingPhase.DONE
    if run.life is Life.STOPPED and run.training is not None:
        return TrainingPhase.STOPPED
    return TrainingPhase.NOT_STARTED


def _running_phase(run: RunState) -> TrainingPhase:
    if run.comparing is not None:
        return TrainingPhase.TRAINING_COMPARED
    if run.point is not None:
        return TrainingPhase.TRAINING_CURVE
    return TrainingPhase.EVALUATING if run.stage is Stage.EVALUATE else TrainingPhase.TRAINING


def elapsed_seconds(run: RunState) -> float:
    """Seconds from the start of the training, or of its last resume, to its end or to the last event."""
    started = run.training.ts if run.training else run.last_ts
    return (run.trained.ts if run.trained else run.last_ts) - started


def clock(seconds: float) -> str:
    """A duration as `m:ss`, or as `h:mm:ss` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
