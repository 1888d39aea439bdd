"""What the further models tell: those of a learning curve, those of other methods, and the merged one.

Kinds of their own, so that whoever follows the training that is evaluated never takes a step of another one for one of its own: the
reducer, and a wizard that is older than the worker and passes these over.
"""

from __future__ import annotations

from typing import Literal

from tuneproof.engine.run.event import Event, Rate


class PointStarted(Event):
    """A training on a share of train, in per cent, has begun, from this step on."""

    kind: Literal["point_started"] = "point_started"
    share: int
    examples: int
    steps: int
    resumed_at: int


class PointStepped(Event):
    """One optimizer step of such a training has been taken."""

    kind: Literal["point_stepped"] = "point_stepped"
    share: int
    step: int
    of: int
    loss: float  # mean over the answer tokens of the step, nats


class PointScored(Event):
    """The model that learned from a share of train has been scored on the frozen cases."""

    kind: Literal["point_scored"] = "point_scored"
    share: int
    examples: int
    n: int
    correct: Rate
    reused: bool = False


class ComparedStarted(Event):
    """The training of a further method has begun, from this step on."""

    kind: Literal["compared_started"] = "compared_started"
    method: str
    examples: int
    steps: int
    resumed_at: int
    trained_parameters: int


class ComparedStepped(Event):
    """One optimizer step of such a training has been taken."""

    kind: Literal["compared_stepped"] = "compared_stepped"
    method: str
    step: int
    of: int
    loss: float  # mean over the answer tokens of the step, nats


class ComparedSkipped(Event):
    """A further method cannot be trained here, and why."""

    kind: Literal["compared_skipped"] = "compared_skipped"
    method: str
    reason: str


class ComparedScored(Event):
    """The model that a further method made has been scored on the frozen cases."""

    kind: Literal["compared_scored"] = "compared_scored"
    method: str
    n: int
    correct: Rate
    reused: bool = False


class MergedScored(Event):
    """The adapter has been merged into its base, and the whole model scored on the frozen cases."""

    kind: Literal["merged_scored"] = "merged_scored"
    n: int
    correct: Rate
    reused: bool = False
