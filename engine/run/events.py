"""What a run tells while it goes: facts in the past tense, typed, appended one a line to `events.jsonl`."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tuneproof.engine.stages import Stage

VERSION = 1


class Rate(BaseModel):
    """A proportion with its 95 % Wilson interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float
    low: float
    high: float


class Event(BaseModel):
    """What every event has: format version, place in the log from 0, and seconds since 1970."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: int = VERSION
    seq: int = -1
    ts: float = 0.0


class Launched(Event):
    """A worker has taken the run."""

    kind: Literal["launched"] = "launched"
    pid: int
    process_started: float  # seconds since 1970, so that a reused pid is not taken for this process
    tuneproof: str
    until: Stage


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
    | CardWritten
    | Warned
    | Failed
    | Stopped
    | Finished,
    Field(discriminator="kind"),
]
PARSER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


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
    """The reading end: what has been added since the last look, a torn last line held back until it is whole."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset

    def read(self) -> list[AnyEvent]:
        """The events since the last call; none where there is no log yet. Kinds of a newer version are passed over."""
        try:
            with self._path.open("rb") as file:
                file.seek(self.offset)
                content = _whole_lines(file.read())
        except FileNotFoundError:
            return []
        self.offset += len(content)
        return [event for line in content.splitlines() if (event := _parse(line)) is not None]


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _parse(line: bytes) -> AnyEvent | None:
    row: Any = json.loads(line)
    if row.get("v", 0) > VERSION:
        return None
    return PARSER.validate_python(row)
