"""The only reader of what events mean: a run's events, one after the other, make its state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import (
    TUNED_MODEL,
    AnyEvent,
    ArmScored,
    Audited,
    CardWritten,
    CheckStarted,
    Failed,
    Finished,
    Launched,
    Progressed,
    RouteDecided,
    ShapeDetected,
    SplitFrozen,
    StageFinished,
    StageStarted,
    Stopped,
    StopRequested,
    TrainingEvent,
    TrainingFinished,
    TrainingSkipped,
    TrainingStarted,
    VariantScored,
)
from tuneproof.engine.run.liveness import is_alive
from tuneproof.engine.run.training_state import TrainingState
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.run.work_in_progress import WorkInProgress


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
    stage_began: float = 0.0  # seconds since 1970
    done: set[Stage] = field(default_factory=set)
    stage_seconds: dict[Stage, float] = field(default_factory=dict)
    route: RouteDecided | None = None
    shapes: list[ShapeDetected] = field(default_factory=list)
    audited: Audited | None = None
    frozen: SplitFrozen | None = None
    reported: list[WorkInProgress] = field(default_factory=list)  # by the worker, each inside the one before; `work` is what to show
    stopping: bool = False  # whether the worker was asked to stop, and has not yet
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
                self.stage, self.stage_began = event.stage, event.ts
                self.reported.clear()
            case Progressed():
                self._take_progress(event)
            case StageFinished():
                self.done.add(event.stage)
                self.reported.clear()
                # What was reused took its time when it was done.
                if not event.reused or event.stage not in self.stage_seconds:
                    self.stage_seconds[event.stage] = event.seconds
            case RouteDecided():
                self.route = event
            case ShapeDetected():
                self.shapes.append(event)
            case CheckStarted():
                self._take_check(event)
            case Audited():
                self.audited = event
            case SplitFrozen():
                self.frozen = event
            case ArmScored():
                self.arms[event.arm] = event
            case CardWritten():
                self.card = event
            case StopRequested():
                self.stopping = self.status is RunStatus.RUNNING
            case Failed():
                self._end(RunStatus.FAILED)
                self.failure = event
            case Stopped():
                self._end(RunStatus.STOPPED)
            case Finished():
                self._end(RunStatus.FINISHED)
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
            self._end(RunStatus.CRASHED)

    @property
    def work(self) -> WorkInProgress | None:
        """What the worker is busy with; None if there is none at work."""
        if self.status is not RunStatus.RUNNING or self.launched is None:
            return None
        if self.reported:
            return self.reported[-1]
        training = self.trainings[self.in_training] if self.in_training else None
        if training is not None and training.started is not None and training.finished is None:
            return self._training_work(training, training.started)
        if self.stage is None or self.stage_began < self.launched.ts:
            return WorkInProgress(Work.STARTING, "", self.launched.ts, self.launched.ts)
        return WorkInProgress(Work.STAGE, self.stage, self.stage_began, self.stage_began)

    def time_left(self, now: float) -> float | None:
        """Seconds of the tuned training that are left, as its work in progress has them; None if nothing trains or nobody can say yet.

        The pace is that of the last quarter of all steps. By default a probe follows every sixth of them, so there are one or two in it
        and the estimate does not jump at each.
        """
        training = self.tuned
        if self.status is not RunStatus.RUNNING or training.started is None or training.finished or training.last_step is None:
            return None
        return None if _pace(training) is None else self._training_work(training, training.started).left(now)

    def _training_work(self, training: TrainingState, started: TrainingStarted) -> WorkInProgress:
        last = training.last_step
        return WorkInProgress(
            Work.TRAINING,
            started.model,
            began=started.ts,
            seen=started.ts if last is None else last.ts,
            done=training.step,
            of=started.steps,
            unit=Unit.STEPS,
            first=started.resumed_at,
            seconds_each=_pace(training),
        )

    def _take_progress(self, event: Progressed) -> None:
        at = next((at for at, each in enumerate(self.reported) if each.is_same(event)), None)
        # What was begun inside it has ended, with or without a word.
        earlier = None if at is None else self.reported[at]
        del self.reported[at if at is not None else len(self.reported) :]
        if not event.has_ended:
            self.reported.append(WorkInProgress.begun(event) if earlier is None else earlier.after(event))

    def _take_check(self, event: CheckStarted) -> None:
        """Names the check that runs; how many there are is said by the progress, which comes less often."""
        at = next((at for at, each in enumerate(self.reported) if each.work is Work.CHECKING), len(self.reported))
        checks = self.reported[at] if at < len(self.reported) else WorkInProgress(Work.CHECKING, "", event.ts, event.ts)
        self.reported[at:] = [replace(checks, about=event.check)]

    def _end(self, status: RunStatus) -> None:
        self.status, self.stopping = status, False
        self.reported.clear()

    def _take_launched(self, event: Launched) -> None:
        if self.launched is None:
            self.started_at = event.ts
        self.status, self.launched = RunStatus.RUNNING, event
        # The new process emits these again.
        self.failure = self.card = self.in_training = None
        self.stopping = False
        self.reported.clear()
        for training in self.trainings.values():
            training.skipped = None
        self.shapes.clear()

    def _take_training_event(self, event: TrainingEvent) -> None:
        self.trainings.setdefault(event.model, TrainingState()).apply(event)
        match event:
            case TrainingStarted():
                self.in_training = event.model
                self.reported.clear()
            case TrainingFinished():
                self.reported.clear()
            case TrainingSkipped() | VariantScored():
                self.in_training = None
            case _:
                pass


def _pace(training: TrainingState) -> float | None:
    """Seconds for a step of a training, over the last quarter of its steps; None before it has taken two."""
    return None if training.last_step is None else training.steps.seconds_per_step(recent=max(10, training.last_step.of // 4))
