"""What a run tells while it goes: facts in the past tense, typed, appended one a line to `events.jsonl`."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tuneproof.engine.core.stage import Stage

# Told on as this module's own: whoever reads events needs what they are made of.
from tuneproof.engine.run.event import VERSION
from tuneproof.engine.run.event import Event as Event
from tuneproof.engine.run.event import Rate as Rate
from tuneproof.engine.run.variant_events import ComparedScored as ComparedScored
from tuneproof.engine.run.variant_events import ComparedSkipped as ComparedSkipped
from tuneproof.engine.run.variant_events import ComparedStarted as ComparedStarted
from tuneproof.engine.run.variant_events import ComparedStepped as ComparedStepped
from tuneproof.engine.run.variant_events import MergedScored as MergedScored
from tuneproof.engine.run.variant_events import PointScored as PointScored
from tuneproof.engine.run.variant_events import PointStarted as PointStarted
from tuneproof.engine.run.variant_events import PointStepped as PointStepped

CHUNK = 1 << 20
"""Bytes of the log that are turned into events at a time: some 5,000 steps, 20 ms."""


class Launched(Event):
    """A worker has taken the run."""

    kind: Literal["launched"] = "launched"
    pid: int
    process_started: float  # seconds since 1970, so that a reused pid is not taken for this process
    tuneproof: str
    until: Stage
    host: str = ""  # on another machine, over a shared disk, the pid says nothing
    slurm_job: str | None = None  # the cluster's id of the job that the worker was submitted as


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


class Decoded(Event):
    """An arm has answered some more of the cases."""

    kind: Literal["decoded"] = "decoded"
    arm: str
    done: int
    of: int


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


class TrainingSkipped(Event):
    """Training was not needed, or not asked for by the route."""

    kind: Literal["training_skipped"] = "training_skipped"
    reason: str


class TrainingStarted(Event):
    """Training has begun, from this step on."""

    kind: Literal["training_started"] = "training_started"
    method: str
    examples: int
    steps: int
    resumed_at: int
    trained_parameters: int
    all_parameters: int


class StepLogged(Event):
    """One optimizer step has been taken."""

    kind: Literal["step_logged"] = "step_logged"
    step: int
    of: int
    epoch: float
    loss: float  # mean over the answer tokens of the step, nats
    learning_rate: float
    grad_norm: float
    tokens_per_second: float


class Sample(BaseModel):
    """One validation case of a probe: what was wanted and what came."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    expected: str
    output: str
    correct: bool


class Probed(Event):
    """The model in training has answered validation cases."""

    kind: Literal["probed"] = "probed"
    step: int
    n: int
    format_valid: float
    correct: float
    loss: float  # mean over the answer tokens of the validation cases, nats
    best: bool
    samples: list[Sample]


class CheckpointSaved(Event):
    """A checkpoint lies on disk, verified."""

    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str


class TrainingFinished(Event):
    """Training has ended, and the adapter of the best step was kept."""

    kind: Literal["training_finished"] = "training_finished"
    steps: int
    best_step: int
    seconds: float
    adapter_sha256: str


class CardWritten(Event):
    """The evidence card has been written."""

    kind: Literal["card_written"] = "card_written"
    answer: str
    reason: str


class Warned(Event):
    """Something the user should know, that stops nothing."""

    kind: Literal["warned"] = "warned"
    message: str


class Failed(Event):
    """The run could not go on."""

    kind: Literal["failed"] = "failed"
    exit_code: int
    message: str


class Stopped(Event):
    """The run was asked to stop, and did; it can be resumed."""

    kind: Literal["stopped"] = "stopped"


class Finished(Event):
    """The run has done what was asked."""

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
    | Decoded
    | ArmScored
    | TrainingSkipped
    | TrainingStarted
    | StepLogged
    | Probed
    | CheckpointSaved
    | TrainingFinished
    | PointStarted
    | PointStepped
    | PointScored
    | ComparedStarted
    | ComparedStepped
    | ComparedSkipped
    | ComparedScored
    | MergedScored
    | CardWritten
    | Warned
    | Failed
    | Stopped
    | Finished,
    Field(discriminator="kind"),
]
PARSER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
KINDS = frozenset(event.model_fields["kind"].default for event in get_args(get_args(AnyEvent)[0]))


class EventLog:
    """The writing end of `events.jsonl`: one process at a time, numbered lines, flushed at each."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        whole = _whole_lines(path.read_bytes()) if path.exists() else b""
        if path.exists():
            os.truncate(path, len(whole))
        self._seq = whole.count(b"\n")
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Appends the event with its number and the time; `sync` also waits until the disk has it."""
        with self._lock:
            stamped = event.model_copy(update={"seq": self._seq, "ts": round(time.time(), 3)})
            self._file.write(stamped.model_dump_json().encode() + b"\n")
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
            self._seq += 1


class EventReader:
    """The reading end: what has been added since the last look, a torn last line held back until it is whole.

    What a newer version wrote is passed over (see `parse`). A whole line that is no event, as a machine that lost its power
    can leave one, is passed over too, and counted in `damaged`: the rest of the run is still worth showing.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset
        self.damaged = 0

    def read(self) -> list[AnyEvent]:
        """The events since the last call; none where there is no log yet."""
        return [event for chunk in self.read_chunks() for event in chunk]

    def read_chunks(self) -> Iterator[list[AnyEvent]]:
        """The events since the last call, about a MiB of the log at a time, so that a long log is never in memory as objects.

        Whoever stops in between goes on after the last chunk that was taken.
        """
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self.offset)
            torn = b""
            while more := file.read(CHUNK):
                content = torn + more
                whole = _whole_lines(content)
                torn = content[len(whole) :]
                self.offset += len(whole)
                if whole:
                    yield self._parse(whole)

    def _parse(self, whole: bytes) -> list[AnyEvent]:
        events = []
        for line in whole[:-1].split(b"\n"):
            try:
                if (event := parse(line)) is not None:
                    events.append(event)
            except ValueError:
                self.damaged += 1
        return events


def parse(line: bytes) -> AnyEvent | None:
    """The event of one line of the log; none where a newer program wrote what this one does not know.

    A wizard can be older than the worker that it is attached to. Of the same format version, a newer program may add kinds and
    fields, and both are passed over; whatever changes the meaning of what is there raises the version, and such events are passed
    over whole. Raises ValueError for a line that is no event.
    """
    try:
        # Straight from the bytes: a fifth of the time of json.loads and validate_python.
        event = PARSER.validate_json(line)
    except ValidationError as error:
        return _parse_newer(line, error)
    return event if event.v <= VERSION else None


def _parse_newer(line: bytes, error: ValidationError) -> AnyEvent | None:
    row: Any = json.loads(line)
    if not isinstance(row, dict):
        raise error
    version, kind = row.get("v"), row.get("kind")
    if (isinstance(version, int) and version > VERSION) or (isinstance(kind, str) and kind not in KINDS):
        return None
    for found in error.errors():
        if found["type"] != "extra_forbidden":
            raise error
        _, *way, field = found["loc"]  # the first is the kind
        holder: Any = row
        for key in way:
            holder = holder[key]
        del holder[field]
    return PARSER.validate_python(row)


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]
