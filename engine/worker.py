"""The process that does the work of one run: `python -m tuneproof.engine.worker RUN_DIR --until STAGE`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psutil

from tuneproof.engine.core.errors import ExitCode, Interrupted, RestartWorker, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Failed, Finished, Heartbeat, Launched, Stopped
from tuneproof.engine.run.limits import machine_limit
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import EVENTS, WORKER_LOG, RunStore

HEARTBEAT_SECONDS = 10.0

NICENESS = 5
"""Below whatever has a person in front of it, so that the wizard's keys stay quick while training takes every core.

Measured on two cores with a redraw of 30 ms: 58 ms without and 35 ms with it, where the scheduler does not already divide by session
(42 ms with or without, where it does). The sample case trains as fast on an idle machine: 9.2 s each, medians of four.
"""


def work(run_dir: Path, until: Stage, stop: StopRequest, slurm_job: str | None = None) -> ExitCode:
    """Takes the run, does its stages, and tells how it ended: as the last event, and as the exit code.

    Raises RestartWorker where a fresh process has to go on.
    """
    from tuneproof.engine.stages.pipeline import run_stages

    store = RunStore(run_dir)
    try:
        with store.lock(), EventLog(run_dir / EVENTS) as log:
            me = psutil.Process()
            log.emit(
                Launched(
                    pid=me.pid,
                    process_started=me.create_time(),
                    tuneproof=version("tuneproof"),
                    until=until,
                    host=socket.gethostname(),
                    slurm_job=slurm_job,
                ),
                sync=True,
            )
            with _heartbeat(log):
                return _tell_the_end(lambda: run_stages(store, log, until, stop), log, run_dir)
    except TuneproofError as error:
        # The run could not even be taken: whoever started it reads this from the log.
        print(error, file=sys.stderr)
        return error.exit_code


def _tell_the_end(stages: Callable[[], None], log: EventLog, run_dir: Path) -> ExitCode:
    try:
        stages()
    except Interrupted:
        log.emit(Stopped(), sync=True)
        return ExitCode.INTERRUPTED
    except TuneproofError as error:
        log.emit(Failed.of(error), sync=True)
        return error.exit_code
    except RestartWorker:
        raise
    except Exception as error:
        limit = machine_limit(error, run_dir)
        if limit is not None:
            log.emit(Failed.of(limit), sync=True)
            return limit.exit_code
        with (run_dir / WORKER_LOG).open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        log.emit(Failed(exit_code=ExitCode.DEFECT, message=f"{type(error).__name__}: {error}"), sync=True)
        return ExitCode.DEFECT
    log.emit(Finished(), sync=True)
    return ExitCode.DONE


@contextmanager
def _heartbeat(log: EventLog) -> Iterator[None]:
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            log.emit(Heartbeat())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--until", type=Stage, default=Stage.CARD)
    # Not read from the environment: that of a shell inside an allocation names a job which is not the worker's to end.
    parser.add_argument("--slurm-job")
    arguments = parser.parse_args()
    quiet_libraries()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    os.nice(max(0, NICENESS - os.nice(0)))
    stop = StopRequest()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.request())
    try:
        sys.exit(work(arguments.run_dir, arguments.until, stop, arguments.slurm_job))
    except RestartWorker:
        # The same process to whoever watches it, with none of the memory of this one.
        os.execv(sys.executable, [sys.executable, "-m", "tuneproof.engine.worker", *sys.argv[1:]])


if __name__ == "__main__":
    main()
