"""Where train and validation loss part: from which step on the model learns its rows rather than the task."""

from __future__ import annotations

from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.run.training_history import TrainingHistory

RISE = 0.05
"""How far the validation loss has to rise above its lowest value, relative to it: the loss of a few dozen cases moves by less than that."""

FEWEST_PROBES = 3
"""Probes that it takes to see a loss fall and rise."""

RULE = (
    f"the gap opens at the probe with the lowest validation loss, if the last probe is more than {100 * RISE:.0f} % above it while the "
    "train loss, averaged over the steps since the probe before, has fallen"
)


class ProbedLoss(BaseModel):
    """Both losses at a probe, in nats a target token."""

    model_config = ConfigDict(extra="forbid")

    step: int
    train: float
    """The mean over the steps since the probe before, each before its update."""
    validation: float


class LossGap(BaseModel):
    """The losses of a training at its lowest validation loss and at its end."""

    model_config = ConfigDict(extra="forbid")

    cases: int
    """Validation cases of a probe."""
    lowest: ProbedLoss
    last: ProbedLoss
    kept: ProbedLoss | None
    """At the step that was kept; None if no train loss was logged there."""
    opened: bool

    @property
    def kept_after(self) -> bool:
        """Whether the step that was kept lies behind the place where the gap opened."""
        return self.opened and self.kept is not None and self.kept.step > self.lowest.step


def loss_gap(history: TrainingHistory, kept_step: int) -> LossGap | None:
    """Whether and where the losses part; None for fewer than three probes with a finite loss."""
    probes = [probe for probe in history.probes if probe.loss is not None]
    found = []
    for before, probe in pairwise([None, *probes]):
        assert probe is not None
        since = before.step if before is not None else 0
        losses = [point.loss for point in history.losses if since < point.step <= probe.step]
        if losses and probe.loss is not None:
            found.append(ProbedLoss(step=probe.step, train=round(sum(losses) / len(losses), 6), validation=probe.loss))
    if len(found) < FEWEST_PROBES:
        return None
    lowest, last = min(found, key=lambda each: (each.validation, each.step)), found[-1]
    opened = last.validation > (1 + RISE) * lowest.validation and last.train < lowest.train
    kept = next((each for each in found if each.step == kept_step), None)
    return LossGap(cases=probes[-1].cases, lowest=lowest, last=last, kept=kept, opened=opened)
