"""The only reader of what events mean: a run's events, one after the other, make its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import psutil

from tuneproof.engine.run.events import (
    AnyEvent,
    ArmScored,
    Audited,
    CardWritten,
    Decoded,
    Failed,
    Finished,
    Launched,
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
from tuneproof.engine.stages import Stage


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
    stage: Stage | None = None
    done: set[Stage] = field(default_factory=set)
    route: RouteDecided | None = None
    shapes: list[ShapeDetected] = field(default_factory=list)
    audited: Audited | None = None
    frozen: SplitFrozen | None = None
    decoding: Decoded | None = None
    arms: dict[str, ArmScored] = field(default_factory=dict)
    training: TrainingStarted | None = None
    training_skipped: TrainingSkipped | None = None
    trained: TrainingFinished | None = None
    steps: list[StepLogged] = field(default_factory=list)
    probes: list[Probed] = field(default_factory=list)
    card: CardWritten | None = None
    warnings: list[str] = field(default_factory=list)
    failure: Failed | None = None
    last_ts: float = 0.0

    def apply(self, event: AnyEvent) -> None:
        """Takes one event in."""
        self.last_ts = event.ts
        match event:
            case Launched():
                self.life, self.launched, self.failure = Life.RUNNING, event, None
                self.shapes.clear()
            case StageStarted():
                self.stage = event.stage
            case StageFinished():
                self.done.add(event.stage)
            case RouteDecided():
                self.route = event
            case ShapeDetected():
                self.shapes.append(event)
            case Audited():
                self.audited = event
            case SplitFrozen():
                self.frozen = event
            case Decoded():
                self.decoding = event
            case ArmScored():
                self.arms[event.arm] = event
            case TrainingStarted():
                self.training = event
                self.steps = [s for s in self.steps if s.step <= event.resumed_at]
                self.probes = [p for p in self.probes if p.step <= event.resumed_at]
            case TrainingSkipped():
                self.training_skipped = event
            case StepLogged():
                self.steps.append(event)
            case Probed():
                self.probes.append(event)
            case TrainingFinished():
                self.trained = event
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
        if self.life is Life.RUNNING and self.launched and not _is_alive(self.launched):
            self.life = Life.CRASHED


def _is_alive(launched: Launched) -> bool:
    try:
        process = psutil.Process(launched.pid)
        # A worker that has ended and was not waited for yet is a zombie of its parent.
        same = abs(process.create_time() - launched.process_started) < 2
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
