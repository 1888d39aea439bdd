"""The only reader of what events mean: a run's events, one after the other, make its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import (
    AnyEvent,
    ArmScored,
    Audited,
    CardWritten,
    CheckpointSaved,
    CheckStarted,
    ComparedScored,
    ComparedSkipped,
    ComparedStarted,
    ComparedStepped,
    Decoded,
    Failed,
    Finished,
    Launched,
    MergedScored,
    PointScored,
    PointStarted,
    PointStepped,
    Probed,
    RouteDecided,
    ShapeDetected,
    SplitFrozen,
    StageFinished,
    StageStarted,
    StepLogged,
    Stopped,
    TrainingFinished,
    TrainingSkipped,
    TrainingStarted,
    Warned,
)
from tuneproof.engine.run.liveness import is_alive
from tuneproof.engine.run.step_series import Curve

PROBES_WITH_SAMPLES = 2
"""Of how many probes the answers are kept: what is looked at is the newest, beside the one before."""


class Life(StrEnum):
    """How a run stands."""

    NEW = "new"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    CRASHED = "crashed"
    FINISHED = "finished"


@dataclass
class RunState:
    """Everything a screen or a command shows of a run, folded from its events."""

    life: Life = Life.NEW
    launched: Launched | None = None
    started_at: float = 0.0  # when the run was first launched
    stage: Stage | None = None
    done: set[Stage] = field(default_factory=set)
    stage_seconds: dict[Stage, float] = field(default_factory=dict)
    route: RouteDecided | None = None
    shapes: list[ShapeDetected] = field(default_factory=list)
    checking: str | None = None  # the check of the audit that runs
    audited: Audited | None = None
    frozen: SplitFrozen | None = None
    decoding: Decoded | None = None
    arms: dict[str, ArmScored] = field(default_factory=dict)
    training: TrainingStarted | None = None
    training_skipped: TrainingSkipped | None = None
    trained: TrainingFinished | None = None
    steps: Curve = field(default_factory=Curve)
    last: StepLogged | None = None  # none, too, between a resume and its first step
    probes: list[Probed] = field(default_factory=list)
    checkpoint: CheckpointSaved | None = None
    point: PointStarted | None = None  # the training of the learning curve that is under way
    point_step: PointStepped | None = None
    points: dict[int, PointScored] = field(default_factory=dict)  # by the share of train, in per cent
    comparing: ComparedStarted | None = None  # the training of a further method that is under way
    compared_step: ComparedStepped | None = None
    compared: dict[str, ComparedScored | ComparedSkipped] = field(default_factory=dict)  # by the method
    merged: MergedScored | None = None
    card: CardWritten | None = None
    warnings: list[str] = field(default_factory=list)
    failure: Failed | None = None
    last_ts: float = 0.0

    def apply(self, event: AnyEvent) -> None:
        """Takes one event in."""
        self.last_ts = event.ts
        match event:
            case StepLogged():
                self.steps.append(event)
                self.last = event
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
                self.checking = event.check
            case Audited():
                self.audited, self.checking = event, None
            case SplitFrozen():
                self.frozen = event
            case Decoded():
                self.decoding = event
            case ArmScored():
                self.arms[event.arm] = event
                if self.decoding and self.decoding.arm == event.arm:
                    self.decoding = None
            case TrainingStarted():
                self._take_training_started(event)
            case TrainingSkipped():
                self.training_skipped = event
            case Probed():
                self.probes.append(event)
                self._forget_samples()
            case CheckpointSaved():
                self.checkpoint = event
            case TrainingFinished():
                self.trained = event
            case PointStarted():
                self.point, self.point_step = event, None
            case PointStepped():
                self.point_step = event
            case PointScored():
                self.points[event.share] = event
                self.point = self.point_step = None
            case ComparedStarted():
                self.comparing, self.compared_step = event, None
            case ComparedStepped():
                self.compared_step = event
            case ComparedScored() | ComparedSkipped():
                self.compared[event.method] = event
                self.comparing = self.compared_step = None
            case MergedScored():
                self.merged = event
            case CardWritten():
                self.card = event
            case Warned():
                self.warnings.append(event.message)
            case Failed():
                self.life, self.failure = Life.FAILED, event
            case Stopped():
                self.life = Life.STOPPED
            case Finished():
                self.life = Life.FINISHED
            case _:
                pass

    def check_alive(self) -> None:
        """Turns a run whose worker is gone without a word into a crashed one."""
        if self.life is Life.RUNNING and self.launched and not is_alive(self.launched):
            self.life = Life.CRASHED

    def time_left(self) -> float | None:
        """Seconds of training that were left when the last step was taken; none where nothing trains or it cannot be told yet.

        The pace is that of the last quarter of all steps: probes come every eighth where the case does not say otherwise, so there
        are about two of them in it, and the estimate does not jump at each.
        """
        if self.life is not Life.RUNNING or self.training is None or self.trained or self.last is None:
            return None
        pace = self.steps.seconds_per_step(recent=max(10, self.last.of // 4))
        return None if pace is None else max(0, self.last.of - self.last.step) * pace

    def _take_launched(self, event: Launched) -> None:
        if self.launched is None:
            self.started_at = event.ts
        self.life, self.launched = Life.RUNNING, event
        # Of the process before, these say how far it got; this one tells them anew.
        self.failure = self.decoding = self.card = self.training_skipped = None
        self.point = self.point_step = self.comparing = self.compared_step = None
        self.shapes.clear()

    def _take_training_started(self, event: TrainingStarted) -> None:
        self.training, self.trained, self.last = event, None, None
        self.steps.truncate_after(event.resumed_at)
        self.probes = [probe for probe in self.probes if probe.step <= event.resumed_at]
        if self.checkpoint and self.checkpoint.step > event.resumed_at:
            self.checkpoint = None

    def _forget_samples(self) -> None:
        if len(self.probes) > PROBES_WITH_SAMPLES:
            old = self.probes[-1 - PROBES_WITH_SAMPLES]
            self.probes[-1 - PROBES_WITH_SAMPLES] = old.model_copy(update={"samples": []})
