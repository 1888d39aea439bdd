"""Runs for the benchmarks of the wizard: in training, finished, and with a hundred thousand events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.bench.attach import EVENTS as MANY
from tests.bench.attach import write_log
from tests.conftest import COMMAND, sample_case, set_options, tuneproof
from tests.waiting import wait_for_event
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Launched, StageFinished, Stopped
from tuneproof.engine.run.store import EVENTS, RunStore


@contextmanager
def replaying(run: Path, *settings: str, case: Path | None = None, until: Stage = Stage.CARD) -> Iterator[None]:
    """Runs a case, by default the sample case, in the background; at the end it is stopped, if need be by force."""
    words = set_options(*settings)
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
    """The process id of the worker of a run."""
    return wait_for_event(run, Launched).pid


def wait_for_end_of(stage: Stage, run: Path, seconds: float = 300, rest: Callable[[float], object] = time.sleep) -> None:
    """Waits until a stage of a run is done; `rest` is called between two readings of its log. Raises TimeoutError if it does not end."""
    wait_for_event(run, StageFinished, lambda event: event.stage is stage, seconds=seconds, rest=rest)


def finished(run: Path) -> None:
    """Runs the sample case to its card."""
    result = tuneproof("--replay", sample_case(), "--run-dir", run)
    assert result.code == 0, result.err


def short_runs(folder: Path, count: int) -> str:
    """Makes a folder of stopped runs; returns the name of the run that is listed first."""
    case = load_case(sample_case(), [])
    for number in range(count):
        store = RunStore.create(folder / f"short-{number}", case)
        with EventLog(store.path / EVENTS) as log:
            log.emit(Launched(pid=1, process_started=1.0, tuneproof="0", until=Stage.CARD))
            log.emit(Stopped())
    return f"short-{count - 1}"


@contextmanager
def long_run(run: Path) -> Iterator[int]:
    """A run with a hundred thousand events whose worker seems to be running; yields the number of its last step."""
    store = RunStore.create(run, load_case(sample_case(), []))
    with subprocess.Popen(["sleep", "3600"]) as stand_in:
        try:
            yield _write_long_log(store.path / EVENTS, stand_in.pid)
        finally:
            stand_in.kill()


def _write_long_log(path: Path, worker: int) -> int:
    """Writes the log of the attach benchmark with the stages before training and a worker that is alive. Returns the last step."""
    write_log(path)
    launched, *rest = path.read_text().splitlines()
    alive = {"pid": worker, "process_started": psutil.Process(worker).create_time()}
    before = [StageFinished(stage=stage, seconds=1.0) for stage in Stage if stage.position < Stage.TRAIN.position]
    head = [json.dumps(json.loads(launched) | alive), *(event.model_dump_json() for event in before)]
    path.write_text("\n".join([*head, *rest[: MANY - len(head)], ""]))
    return max(int(json.loads(line).get("step", 0)) for line in rest[: MANY - len(head)])
