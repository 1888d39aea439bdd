"""What is known of the training of one model, folded from its events."""

from __future__ import annotations

from dataclasses import dataclass, field

from tuneproof.engine.run.events import (
    CheckpointSaved,
    Probed,
    StepLogged,
    TrainingEvent,
    TrainingFinished,
    TrainingSkipped,
    TrainingStarted,
    VariantScored,
)
from tuneproof.engine.run.step_series import StepSeries

PROBES_WITH_SAMPLES = 2
"""How many probes keep their samples: the newest, which is shown, and the one before."""


@dataclass
class TrainingState:
    """The training of one model."""

    started: TrainingStarted | None = None
    skipped: TrainingSkipped | None = None
    finished: TrainingFinished | None = None
    scored: VariantScored | None = None  # only for models besides the tuned one, which is scored as an arm
    steps: StepSeries = field(default_factory=StepSeries)
    last_step: StepLogged | None = None  # None between a resume and its first step, too
    probes: list[Probed] = field(default_factory=list)
    checkpoint: CheckpointSaved | None = None

    @property
    def step(self) -> int:
        """The number of steps taken; after a resume that of the checkpoint."""
        if self.last_step is not None:
            return self.last_step.step
        return self.started.resumed_at if self.started else 0

    def apply(self, event: TrainingEvent) -> None:
        """Takes in one event of this training."""
        match event:
            case StepLogged():
                self.steps.append(event)
                self.last_step = event
            case TrainingStarted():
                self._start(event)
            case TrainingSkipped():
                self.skipped = event
            case Probed():
                self.probes.append(event)
                self._drop_old_samples()
            case CheckpointSaved():
                self.checkpoint = event
            case TrainingFinished():
                self.finished = event
            case VariantScored():
                self.scored = event
            case _:
                pass

    def _start(self, event: TrainingStarted) -> None:
        self.started, self.skipped, self.finished, self.last_step = event, None, None, None
        self.steps.truncate_after(event.resumed_at)
        self.probes = [probe for probe in self.probes if probe.step <= event.resumed_at]
        if self.checkpoint and self.checkpoint.step > event.resumed_at:
            self.checkpoint = None

    def _drop_old_samples(self) -> None:
        if len(self.probes) > PROBES_WITH_SAMPLES:
            old = self.probes[-1 - PROBES_WITH_SAMPLES]
            self.probes[-1 - PROBES_WITH_SAMPLES] = old.model_copy(update={"samples": []})
