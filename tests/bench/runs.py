"""Runs for the wizard to look at: one in training, one that is done, one with a hundred thousand events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

from tests.bench.attach import EVENTS as MANY
from tests.bench.attach import write_log
from tests.conftest import COMMAND, sample_case, set_to, tuneproof
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Launched, StageFinished, Stopped
from tuneproof.engine.run.store import EVENTS, RunStore

Kind = TypeVar("Kind", bound=Event)


@contextmanager
def replaying(run: Path, *settings: str, case: Path | None = None, until: Stage = Stage.CARD) -> Iterator[None]:
    """A case, or the sample, on its way in the background, as a user would start it; asked to stop at the end, and made to."""
    words = set_to(*settings)
    command = [COMMAND, "--replay", case or sample_case(), "--run-dir", run, "--until", until, *words]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        worker = worker_pid(run)
        if process.poll() is None:
            process.kill()
            process.wait()
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


def worker_pid(run: Path) -> int:
    """The process that does the work of a run."""
    return first(run, Launched).pid


def first(run: Path, kind: type[Kind], seconds: float = 300) -> Kind:
    """The first event of a kind, once it is there. Raises TimeoutError where it does not come."""
    reader, deadline = EventReader(run / EVENTS), time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in reader.read():
            if isinstance(event, kind):
                return event
        time.sleep(0.05)
    raise TimeoutError(f"no {kind.__name__} in {run} within {seconds:g} s")


def wait_for_end_of(stage: Stage, run: Path, seconds: float = 300, rest: Callable[[float], object] = time.sleep) -> None:
    """Waits until a stage of a run is done, looking four times a second. Raises TimeoutError where it does not come to that."""
    reader, deadline = EventReader(run / EVENTS), time.monotonic() + seconds
    while not any(isinstance(event, StageFinished) and event.stage is stage for event in reader.read()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{run}: {stage} has not ended within {seconds:g} s")
        rest(0.25)


def finished(run: Path) -> None:
    """The sample case, done."""
    result = tuneproof("--replay", sample_case(), "--run-dir", run)
    assert result.code == 0, result.err


def short_runs(folder: Path, count: int) -> str:
    """A folder of runs that have been asked to stop; returns the name of the one that is listed first."""
    case = load_case(sample_case(), [])
    for number in range(count):
        store = RunStore.create(folder / f"short-{number}", case)
        with EventLog(store.path / EVENTS) as log:
            log.emit(Launched(pid=1, process_started=1.0, tuneproof="0", until=Stage.CARD))
            log.emit(Stopped())
    return f"short-{count - 1}"


@contextmanager
def long_run(run: Path) -> Iterator[int]:
    """A run with a hundred thousand events whose worker seems to be at work; gives the number of its last step."""
    store = RunStore.create(run, load_case(sample_case(), []))
    with subprocess.Popen(["sleep", "3600"]) as stand_in:
        try:
            yield _write_long_log(store.path / EVENTS, stand_in.pid)
        finally:
            stand_in.kill()


def _write_long_log(path: Path, worker: int) -> int:
    """The log of the attach bench, given the stages that come before training and a worker that is alive."""
    write_log(path)
    launched, *rest = path.read_text().splitlines()
    alive = {"pid": worker, "process_started": psutil.Process(worker).create_time()}
    before = [StageFinished(stage=stage, seconds=1.0) for stage in Stage if stage.position < Stage.TRAIN.position]
    head = [json.dumps(json.loads(launched) | alive), *(event.model_dump_json() for event in before)]
    path.write_text("\n".join([*head, *rest[: MANY - len(head)], ""]))
    return max(int(json.loads(line).get("step", 0)) for line in rest[: MANY - len(head)])
