"""What a training leaves, known without the libraries that train."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.run.artifacts import TrainingFacts
from tuneproof.engine.training.checkpoints import ProbeResult


@dataclass(frozen=True)
class TrainingResult:
    """What a training left: the adapter of the best step, or the whole model where that was trained, and the names of its files."""

    adapter: Path
    steps: int
    best_step: int
    best_probe: ProbeResult
    trained_parameters: int
    all_parameters: int
    files: list[str]
    seconds: float

    def facts(self, examples: int) -> TrainingFacts:
        """What is written down of it; it was trained on so many examples."""
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
