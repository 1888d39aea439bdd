"""The only reader of what events mean: a run's events, one after the other, make its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import (
    TUNED_MODEL,
    AnyEvent,
    ArmScored,
    Audited,
    AuditProgressed,
    CardWritten,
    CheckStarted,
    Decoded,
    Failed,
    Finished,
    Launched,
    RouteDecided,
    ShapeDetected,
    SplitFrozen,
    StageFinished,
    StageStarted,
    Stopped,
    TrainingEvent,
    TrainingSkipped,
    TrainingStarted,
    VariantScored,
)
from tuneproof.engine.run.liveness import is_alive
from tuneproof.engine.run.training_state import TrainingState


class RunStatus(StrEnum):
    """The status of a run."""

    NEW = "new"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    CRASHED = "crashed"
    FINISHED = "finished"


@dataclass
class RunState:
    """Everything a screen or a command shows of a run, folded from its events."""

    status: RunStatus = RunStatus.NEW
    launched: Launched | None = None
    started_at: float = 0.0  # when the run was first launched
    stage: Stage | None = None
    done: set[Stage] = field(default_factory=set)
    stage_seconds: dict[Stage, float] = field(default_factory=dict)
    route: RouteDecided | None = None
    shapes: list[ShapeDetected] = field(default_factory=list)
    checking: str | None = None  # the check of the audit that runs
    auditing: AuditProgressed | None = None  # how far the reading of the data or the check has come
    audited: Audited | None = None
    frozen: SplitFrozen | None = None
    decoding: Decoded | None = None
    arms: dict[str, ArmScored] = field(default_factory=dict)
    trainings: dict[str, TrainingState] = field(default_factory=lambda: {TUNED_MODEL: TrainingState()})  # by model
    in_training: str | None = None  # the model that is trained, or that was trained last and is not scored yet
    card: CardWritten | None = None
    failure: Failed | None = None
    last_ts: float = 0.0

    def apply(self, event: AnyEvent) -> None:
        """Takes one event in."""
        self.last_ts = event.ts
        match event:
            case TrainingEvent():
                self._take_training_event(event)
            case Launched():
                self._take_launched(event)
            case StageStarted():
                self.stage = event.stage
            case StageFinished():
                self.done.add(event.stage)
                # What was reused took its time when it was done.
                if not event.reused or event.stage not in self.stage_seconds:
                    self.stage_seconds[event.stage] = event.seconds
            case RouteDecided():
                self.route = event
            case ShapeDetected():
                self.shapes.append(event)
            case CheckStarted():
                self.checking, self.auditing = event.check, None
            case AuditProgressed():
                self.auditing = event
            case Audited():
                self.audited, self.checking, self.auditing = event, None, None
            case SplitFrozen():
                self.frozen = event
            case Decoded():
                self.decoding = event
            case ArmScored():
                self.arms[event.arm] = event
                if self.decoding and self.decoding.arm == event.arm:
                    self.decoding = None
            case CardWritten():
                self.card = event
            case Failed():
                self.status, self.failure = RunStatus.FAILED, event
            case Stopped():
                self.status = RunStatus.STOPPED
            case Finished():
                self.status = RunStatus.FINISHED
            case _:
                pass

    @property
    def tuned(self) -> TrainingState:
        """The training that is evaluated."""
        return self.trainings[TUNED_MODEL]

    @property
    def variant(self) -> TrainingState | None:
        """The training besides the tuned one that is under way, until its model is scored."""
        return None if self.in_training is None or self.in_training == TUNED_MODEL else self.trainings[self.in_training]

    def check_alive(self) -> None:
        """Marks a run whose worker is gone without an event that says so as crashed."""
        if self.status is RunStatus.RUNNING and self.launched and not is_alive(self.launched):
            self.status = RunStatus.CRASHED

    def time_left(self) -> float | None:
        """Seconds of the tuned training that were left at its last step; None if nothing trains or it cannot be estimated yet.

        The pace is that of the last quarter of all steps. By default a probe follows every sixth of them, so there are one or two in it
        and the estimate does not jump at each.
        """
        training = self.tuned
        if self.status is not RunStatus.RUNNING or training.started is None or training.finished or training.last_step is None:
            return None
        last = training.last_step
        pace = training.steps.seconds_per_step(recent=max(10, last.of // 4))
        return None if pace is None else max(0, last.of - last.step) * pace

    def _take_launched(self, event: Launched) -> None:
        if self.launched is None:
            self.started_at = event.ts
        self.status, self.launched = RunStatus.RUNNING, event
        # The new process emits these again.
        self.failure = self.decoding = self.card = self.in_training = None
        for training in self.trainings.values():
            training.skipped = None
        self.shapes.clear()

    def _take_training_event(self, event: TrainingEvent) -> None:
        self.trainings.setdefault(event.model, TrainingState()).apply(event)
        match event:
            case TrainingStarted():
                self.in_training = event.model
            case TrainingSkipped() | VariantScored():
                self.in_training = None
            case _:
                pass
