"""The kinds of events: facts about a run, in the past tense, one a line in `events.jsonl`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.case.task import Metric
from tuneproof.engine.core.errors import CannotResume, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event, Rate
from tuneproof.engine.run.work import Unit, Work

TUNED_MODEL = "tuned"
"""The model that is evaluated. Others are named after it: `tuned_25` is trained on 25 % of train, `tuned_full` by the method full."""


class Launched(Event):
    """A worker has taken the run."""

    kind: Literal["launched"] = "launched"
    pid: int = Field(ge=1, lt=1 << 31)
    process_started: float  # seconds since 1970, so that a reused pid is not taken for this process
    tuneproof: str
    until: Stage
    host: str = ""  # on another machine, over a shared disk, the pid says nothing
    slurm_job: str | None = Field(default=None, pattern=r"^[0-9][0-9_+]*$")  # the cluster's id of the job that the worker was submitted as
    boot: str = ""  # which start of the machine it is; empty in runs of versions that did not look
    oom_kills: int | None = None  # processes that the kernel has killed for want of memory, None if it does not say


class Heartbeat(Event):
    """The worker is alive."""

    kind: Literal["heartbeat"] = "heartbeat"


class WhatIfRow(BaseModel):
    """The route when only one answer is different."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: str
    value: bool | int
    route: str


class RouteDecided(Event):
    """The answers have been turned into a route."""

    kind: Literal["route_decided"] = "route_decided"
    route: str
    reason: str
    labeled_examples: int
    minimum_before_training: list[str]
    what_if: list[WhatIfRow]
    next_steps: list[str] = Field(default=[])


class StageStarted(Event):
    """A stage has begun."""

    kind: Literal["stage_started"] = "stage_started"
    stage: Stage


class StageFinished(Event):
    """A stage has ended; `reused` where it was done before from the same inputs."""

    kind: Literal["stage_finished"] = "stage_finished"
    stage: Stage
    seconds: float
    reused: bool = False


class ShapeDetected(Event):
    """A file of examples has been read, in this shape."""

    kind: Literal["shape_detected"] = "shape_detected"
    file: str
    shape: str
    rows: int
    unreadable: int


class CheckStarted(Event):
    """A check of the audit begins."""

    kind: Literal["check_started"] = "check_started"
    check: str


class Audited(Event):
    """The data has been audited."""

    kind: Literal["audited"] = "audited"
    rows: int
    block: int
    warn: int
    info: int


class SplitFrozen(Event):
    """The parts have been written; eval is frozen under its digest."""

    kind: Literal["split_frozen"] = "split_frozen"
    train: int
    validation: int
    eval: int
    eval_sha256: str
    minimum_detectable_effect: float


class Progressed(Event):
    """A piece of work has come this far; the first of its events says that it has begun, and one where all is done that it has ended.

    Work inside other work takes its place until it has ended.
    """

    kind: Literal["progressed"] = "progressed"
    work: Work
    about: str = ""  # the file, check, arm or model
    done: int = Field(default=0, ge=0)
    of: int | None = Field(default=None, ge=0)  # None if nobody knows; may be an estimate that changes
    unit: Unit | None = None

    @property
    def has_ended(self) -> bool:
        """Whether all of it is done."""
        return self.of is not None and self.done >= self.of


class ArmScored(Event):
    """An arm has been scored on the frozen cases."""

    kind: Literal["arm_scored"] = "arm_scored"
    arm: str
    n: int
    format_valid: Rate
    correct: Rate
    tokens_per_case: float
    seconds_per_case: float
    unanswered: int = 0
    reused: bool = False
    metric: Metric | None = Field(default=None, exclude_if=lambda metric: metric is None)
    # In the metric that decides, where that is not the share of correct answers.
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)

    @property
    def quality(self) -> float:
        """What arms are compared by: the metric that decides."""
        return self.correct.rate if self.score is None else self.score

    @property
    def score_text(self) -> str:
        """The metric with its score, such as `chrf 0.534`; empty where it is the share of correct answers."""
        return "" if self.score is None else f"{self.metric} {self.score:.3f}"


class TrainingEvent(Event):
    """What the events of a training have: the model that is trained."""

    model: str = TUNED_MODEL


class TrainingSkipped(TrainingEvent):
    """The training is not needed, not part of the route, or not possible here."""

    kind: Literal["training_skipped"] = "training_skipped"
    reason: str


class TrainingStarted(TrainingEvent):
    """A training has begun, after the step `resumed_at`."""

    kind: Literal["training_started"] = "training_started"
    method: str
    examples: int
    steps: int  # optimizer steps of the whole training
    resumed_at: int  # the step of the checkpoint, 0 for a new training
    trained_parameters: int
    all_parameters: int


class TrainingDropped(TrainingEvent):
    """A training that had begun with other settings begins again; what it had is removed."""

    kind: Literal["training_dropped"] = "training_dropped"
    changed: list[str]
    checkpoints: int


class StepLogged(TrainingEvent):
    """One optimizer step has been taken."""

    kind: Literal["step_logged"] = "step_logged"
    step: int
    of: int
    epoch: float
    loss: float  # mean over the target tokens of the step, nats
    learning_rate: float
    grad_norm: float  # before clipping
    tokens_per_second: float


class Sample(BaseModel):
    """One validation case of a probe: the expected output and the model's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    expected: str
    output: str
    correct: bool


class Probed(TrainingEvent):
    """The model in training has been scored on validation cases."""

    kind: Literal["probed"] = "probed"
    step: int
    n: int
    format_valid: float
    correct: float
    loss: float  # mean over the target tokens of the validation cases, nats
    best: bool
    samples: list[Sample]
    metric: Metric | None = Field(default=None, exclude_if=lambda metric: metric is None)
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)


class CheckpointSaved(TrainingEvent):
    """A checkpoint is on disk, with the digests of its files."""

    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str  # in the run folder, once it is in the log


class TrainingFinished(TrainingEvent):
    """A training has ended, and the adapter of the best step has been kept."""

    kind: Literal["training_finished"] = "training_finished"
    steps: int
    best_step: int
    seconds: float
    adapter_sha256: str


class VariantScored(TrainingEvent):
    """A model trained besides the tuned one, or merged from it, has been scored on the frozen cases."""

    kind: Literal["variant_scored"] = "variant_scored"
    n: int
    correct: Rate
    reused: bool = False
    metric: Metric | None = Field(default=None, exclude_if=lambda metric: metric is None)
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)


class CardWritten(Event):
    """The evidence card has been written."""

    kind: Literal["card_written"] = "card_written"
    answer: str
    reason: str
    headline: str = ""
    """How good the answer is, in a few words; empty in runs that were made before cards had one."""


class Warned(Event):
    """Something the user should know, that stops nothing."""

    kind: Literal["warned"] = "warned"
    message: str


class Failed(Event):
    """The run could not go on."""

    kind: Literal["failed"] = "failed"
    exit_code: int
    message: str  # the whole error in one line; version 1 has nothing else
    error: str = ""  # the name of the error's class
    what: str = ""
    where: str = ""
    fix: str = ""
    resumable: bool = True  # whether the run may go on after a resume, and does not fail in the same place

    @classmethod
    def of(cls, error: TuneproofError) -> Failed:
        """The event for an error that a user or the machine can cause."""
        return cls(
            exit_code=error.exit_code,
            message=str(error),
            error=type(error).__name__,
            what=error.what,
            where=error.where,
            fix=error.fix,
            resumable=not isinstance(error, CannotResume),
        )

    @property
    def problem(self) -> str:
        """What is wrong and where, without what to do about it; in version 1 the whole message."""
        located = f"{self.where}: {self.what}" if self.where else self.what
        return located or self.message

    def is_a(self, error: type[TuneproofError]) -> bool:
        """Whether the run failed with an error of this class."""
        return self.error == error.__name__


class StopRequested(Event):
    """Somebody has asked the worker to stop; it ends at the next safe place."""

    kind: Literal["stop_requested"] = "stop_requested"


class Stopped(Event):
    """The run has stopped on request; it can be resumed."""

    kind: Literal["stopped"] = "stopped"


class Finished(Event):
    """The run has done all requested stages."""

    kind: Literal["finished"] = "finished"


AnyEvent = Annotated[
    Launched
    | Heartbeat
    | RouteDecided
    | StageStarted
    | StageFinished
    | ShapeDetected
    | CheckStarted
    | Audited
    | SplitFrozen
    | Progressed
    | ArmScored
    | TrainingSkipped
    | TrainingStarted
    | TrainingDropped
    | StepLogged
    | Probed
    | CheckpointSaved
    | TrainingFinished
    | VariantScored
    | CardWritten
    | Warned
    | Failed
    | StopRequested
    | Stopped
    | Finished,
    Field(discriminator="kind"),
]
