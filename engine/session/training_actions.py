"""What can be done about the training of a run, and what its state means."""

from __future__ import annotations

from enum import Enum, StrEnum, auto

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.training import Training
from tuneproof.engine.core.errors import LossNotFinite
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.events import Probed
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.scoring.statistics import wilson


class TrainingAction(StrEnum):
    """What a person can do about a training."""

    START = "start"
    RESUME = "resume"
    STOP = "stop"
    LEAVE_RUNNING = "leave_running"


def possible_actions(run: RunState) -> set[TrainingAction]:
    """The actions that are possible now; none once the card is written, or if a resumed run would fail again."""
    if run.status is RunStatus.RUNNING:
        return {TrainingAction.STOP, TrainingAction.LEAVE_RUNNING}
    if run.card is not None or not _goes_on(run):
        return set()
    return {TrainingAction.START if run.tuned.started is None else TrainingAction.RESUME}


def can_train_otherwise(run: RunState) -> bool:
    """Whether method and settings may still change: not while the training runs, once the model is trained, or where nothing goes on."""
    training = run.tuned
    if training.started is None:
        return True
    return _goes_on(run) and training.finished is None and run.status is not RunStatus.RUNNING


def _goes_on(run: RunState) -> bool:
    """Whether a resumed run would not fail again in the same place, or need not with another learning rate."""
    return run.failure is None or run.failure.resumable or needs_lower_rate(run)


def needs_lower_rate(run: RunState) -> bool:
    """Whether the training came to no finite loss, and can only begin again with a lower learning rate."""
    return run.status is RunStatus.FAILED and run.failure is not None and run.failure.is_a(LossNotFinite)


LOWER_BY = 3
"""What a learning rate is divided by after a loss that was not finite: half an order of magnitude."""


def with_lower_rate(content: DraftCase) -> Training:
    """The settings with a lower learning rate than the plan had."""
    rate = make_plan(content.method, content.training).learning_rate
    return content.training.model_copy(update={"learning_rate": float(f"{rate / LOWER_BY:.1g}")})


class TrainingPhase(Enum):
    """What a run does for its tuned model, or how that ended."""

    NOT_STARTED = auto()
    TRAINING = auto()
    """Also while an earlier stage runs."""
    EVALUATING = auto()
    TRAINING_VARIANT = auto()
    """A model besides the tuned one trains or answers: of the learning curve, or of a method to compare."""
    SKIPPED = auto()
    STOPPED = auto()
    FAILED = auto()
    CRASHED = auto()
    DONE = auto()


def training_phase(run: RunState) -> TrainingPhase:
    """The phase of a run's training."""
    if run.status is RunStatus.CRASHED:
        return TrainingPhase.CRASHED
    if run.status is RunStatus.FAILED and run.failure is not None:
        return TrainingPhase.FAILED
    if run.tuned.skipped is not None:
        return TrainingPhase.SKIPPED
    if run.status is RunStatus.RUNNING:
        return _running_phase(run)
    if run.card is not None:
        return TrainingPhase.DONE
    if run.status is RunStatus.STOPPED and run.tuned.started is not None:
        return TrainingPhase.STOPPED
    return TrainingPhase.NOT_STARTED


def _running_phase(run: RunState) -> TrainingPhase:
    if run.variant is not None:
        return TrainingPhase.TRAINING_VARIANT
    return TrainingPhase.EVALUATING if run.stage is Stage.EVALUATE else TrainingPhase.TRAINING


def elapsed_seconds(run: RunState) -> float:
    """Seconds from the start of the training, or of its last resume, to its end or to the last event."""
    training = run.tuned
    started = training.started.ts if training.started else run.last_ts
    return (training.finished.ts if training.finished else run.last_ts) - started


def clock(seconds: float) -> str:
    """A duration as `m:ss`, or as `h:mm:ss` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def probed_rate(probe: Probed) -> Rate:
    """The share of validation cases that are right, with its 95 % interval."""
    interval = wilson(round(probe.correct * probe.n), probe.n)
    return Rate(rate=probe.correct, low=interval.low, high=interval.high)
