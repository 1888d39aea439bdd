"""The course of a training as a file of the run: losses over the steps, and the probes on validation cases."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import Field

from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Probed, TrainingEvent
from tuneproof.engine.run.facts import Facts
from tuneproof.engine.run.training_state import TrainingState

TRAINING_HISTORY = "training/history.json"

MOST_POINTS = 2000
"""Points of the train loss that are kept; of a longer training each is the mean of a few steps."""


class LossPoint(Facts):
    """The train loss at a step: the mean over the target tokens, in nats. Where steps were averaged, `step` is their mean."""

    step: float
    loss: float


class ProbePoint(Facts):
    """What a probe measured on the validation cases."""

    step: int
    cases: int
    loss: float | None
    """The mean over the target tokens, in nats; None if it was not finite."""
    format_valid: float
    correct: float
    score: float | None = None
    """The metric that decides, where it is not the share of correct answers."""


class TrainingHistory(Facts):
    """The training of the tuned model from its first step to its last, whatever was resumed in between."""

    losses: list[LossPoint]
    probes: list[ProbePoint]
    validation_losses: list[LossPoint] = Field(default=[], exclude_if=lambda points: not points)
    """Losses of evaluations that another program logged, whose rows are not known."""


def history_of(events: Path, model: str) -> TrainingHistory:
    """The training of a model as the event log has it."""
    state = TrainingState()
    for chunk in EventReader(events).read_chunks():
        for event in chunk:
            if isinstance(event, TrainingEvent) and event.model == model:
                state.apply(event)
    steps, losses = state.steps.points(MOST_POINTS)
    points = [LossPoint(step=round(step, 2), loss=round(loss, 6)) for step, loss in zip(steps, losses, strict=True)]
    return TrainingHistory(losses=points, probes=[_point(probe) for probe in state.probes])


def _point(probe: Probed) -> ProbePoint:
    return ProbePoint(
        step=probe.step,
        cases=probe.n,
        loss=round(probe.loss, 6) if math.isfinite(probe.loss) else None,
        format_valid=round(probe.format_valid, 6),
        correct=round(probe.correct, 6),
        score=probe.score,
    )
