"""The result of a training. Importing it needs none of the libraries that train."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.run.artifacts import TrainingFacts
from tuneproof.engine.training.checkpoints import ProbeResult


@dataclass(frozen=True)
class TrainingResult:
    """The adapter of the best step, or the whole model if that was trained, and the figures of the training."""

    adapter: Path  # the folder
    steps: int
    best_step: int
    best_probe: ProbeResult
    trained_parameters: int
    all_parameters: int
    files: list[str]  # names in the folder
    seconds: float  # of the process that finished it; `fit` adds those before a resume

    def facts(self, examples: int) -> TrainingFacts:
        """The summary for the run folder; `examples` is the number of rows it was trained on."""
        return TrainingFacts(
            examples=examples,
            steps=self.steps,
            best_step=self.best_step,
            validation_cases=self.best_probe.n,
            validation_format_valid=self.best_probe.format_valid,
            validation_correct=self.best_probe.correct,
            validation_loss=self.best_probe.loss,
            trained_parameters=self.trained_parameters,
            all_parameters=self.all_parameters,
            seconds=self.seconds,
        )
