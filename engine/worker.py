"""The process that does the work of one run: `python -m tuneproof.engine.worker RUN_DIR --until STAGE`."""

from __future__ import annotations

import argparse
import logging
import os
import queue
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil

from tuneproof.engine.core.errors import ExitCode, Interrupted, RestartWorker, TuneproofError
from tuneproof.engine.core.memory_limits import boot_id, kernel_oom_kills
from tuneproof.engine.core.plain_text import sanitize, use_plain_streams
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.ahead import Ahead
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Failed, Finished, Heartbeat, Launched, Stopped, StopRequested
from tuneproof.engine.run.killed import is_same_process, last_killed
from tuneproof.engine.run.limits import machine_limit
from tuneproof.engine.run.lock import RunLock
from tuneproof.engine.run.process import log_traceback
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.reserve import DiskReserve
from tuneproof.engine.run.stop import StoppedAtOnce, StopRequest
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.engine.run.worker_exit import run_gone, worker_exit_code

if TYPE_CHECKING:
    from tuneproof.engine.stages.kept_readings import KeptReadings

HEARTBEAT_SECONDS = 10.0

NICENESS = 5
"""A lower priority than the wizard's, so that keys respond quickly while training uses every core.

Measured on two cores with a redraw of 30 ms: 58 ms without and 35 ms with it, unless the scheduler divides time by session already (42 ms
either way). On an idle machine the sample case trains equally fast: 9.2 s, medians of four.
"""


def work(
    run_dir: Path,
    until: Stage,
    stop: StopRequest,
    slurm_job: str | None = None,
    lock: RunLock | None = None,
    kept: KeptReadings | None = None,
    ahead: Ahead | None = None,
) -> int:
    """Locks the run, unless it was given the lock, and does its stages; how it ends is its last event and the exit code.

    With `ahead` it looks ahead at the training in place of doing what follows the split.

    The exit code also says what a disk that is full or gone did not take as an event. Raises RestartWorker if a fresh process has to
    continue.
    """
    from tuneproof.engine.stages.pipeline import run_stages

    store = RunStore(run_dir)
    try:
        with lock or store.lock() as held, EventLog(run_dir / EVENTS) as log, DiskReserve(run_dir) as reserve:
            store.sweep()
            stop.is_busy = lambda: log.is_writing
            launched, killed = _launched(until, slurm_job), last_killed(run_dir / EVENTS)
            if killed is not None and is_same_process(killed.launched, launched):
                killed = None
            log.emit(launched, sync=True)
            with _heartbeat(log), _said_when_asked_to_stop(log, stop):
                if ahead is None:
                    end = _do(lambda: run_stages(store, log, until, stop, killed, kept), run_dir, stop)
                else:
                    end = _do(lambda: _look_ahead(store, log, stop, ahead), run_dir, stop)
            if not held.is_in(run_dir):
                return worker_exit_code(run_gone(run_dir))
            reserve.release()
            return _log_end(end, log, run_dir)
    except TuneproofError as error:
        # The run could not be locked: the program that started this process shows the end of its log.
        print(sanitize(str(error), one_line=True), file=sys.stderr)
        return worker_exit_code(error)
    except OSError as error:
        limit = machine_limit(error, run_dir)
        if limit is None:
            raise
        return worker_exit_code(limit)


def _look_ahead(store: RunStore, log: EventLog, stop: StopRequest, ahead: Ahead) -> None:
    from tuneproof.engine.stages.look_ahead import look_ahead

    look_ahead(store, log, stop, measures=ahead is Ahead.MEASURE)


def _launched(until: Stage, slurm_job: str | None) -> Launched:
    """The event for this process."""
    me = psutil.Process()
    return Launched(
        pid=me.pid,
        process_started=me.create_time(),
        tuneproof=version("tuneproof"),
        until=until,
        host=socket.gethostname(),
        slurm_job=slurm_job,
        boot=boot_id(),
        oom_kills=kernel_oom_kills(),
    )


def _do(stages: Callable[[], None], run_dir: Path, stop: StopRequest) -> BaseException | None:
    """Does the stages, and returns what ended them: a limit of the machine as its own error."""
    try:
        stages()
    except RestartWorker:
        stop.hold_signals()
        raise
    except (TuneproofError, StoppedAtOnce) as error:
        return error
    except Exception as error:
        return machine_limit(error, run_dir) or error
    return None


def _log_end(error: BaseException | None, log: EventLog, run_dir: Path) -> int:
    """Logs how the stages ended, and returns the exit code. A disk that takes no event does not change the code."""
    code: int = ExitCode.DEFECT
    event: Event = Failed(exit_code=code, message=f"{type(error).__name__}: {error}")
    match error:
        case None:
            code, event = ExitCode.DONE, Finished()
        case Interrupted() | StoppedAtOnce():
            code, event = ExitCode.INTERRUPTED, Stopped()
        case TuneproofError():
            code, event = worker_exit_code(error), Failed.of(error)
        case _:
            log_traceback(run_dir, error)
    try:
        log.emit(event, sync=True)
    except OSError as unwritten:
        limit = machine_limit(unwritten, run_dir)
        return worker_exit_code(limit) if limit is not None and code == ExitCode.DONE else code
    return code


@contextmanager
def _heartbeat(log: EventLog) -> Iterator[None]:
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            # What the disk does not take now is noticed by the work itself.
            with suppress(OSError):
                log.emit(Heartbeat())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _said_when_asked_to_stop(log: EventLog, stop: StopRequest) -> Iterator[None]:
    """Logs a request to stop at once, whatever the work is inside of."""
    lock, has_ended = threading.Lock(), False

    def say() -> None:
        stop.wait_for_signal()
        # What the disk does not take now is noticed by the work itself.
        with lock, suppress(OSError):
            if not has_ended:
                log.emit(StopRequested(), sync=True)

    threading.Thread(target=say, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            has_ended = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--until", type=Stage, default=Stage.CARD)
    # Not read from the environment: in a shell inside an allocation, that names a job that the worker must not end.
    parser.add_argument("--slurm-job")
    parser.add_argument("--lock", type=lambda descriptor: RunLock.inherited(int(descriptor)), help="the descriptor of the run's lock")
    parser.add_argument("--ahead", type=Ahead, help="up to the split, then look ahead at the training: predict, or also measure a step")
    parser.add_argument("--stay", action="store_true", help="then do the runs whose folders stdin names")
    arguments = parser.parse_args()
    # Every library writes into the run folder, and what is in it is for this user alone.
    os.umask(0o077)
    quiet_libraries()
    # The log is read in terminals, and has what libraries say about data.
    use_plain_streams()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    os.nice(max(0, NICENESS - os.nice(0)))
    if arguments.stay:
        # A signal ends it as it is: it works on copies, and there is nothing to save.
        _work_and_stay(arguments.run_dir, arguments.until, arguments.lock)
        _leave_at_once()
    stop = StopRequest()
    stop.obey_signals()
    try:
        code = work(arguments.run_dir, arguments.until, stop, arguments.slurm_job, arguments.lock, ahead=arguments.ahead)
    except RestartWorker:
        # The same pid, without the memory of this process.
        os.execv(sys.executable, [sys.executable, "-m", "tuneproof.engine.worker", *sys.argv[1:]])
    if code == ExitCode.INTERRUPTED:
        _leave_at_once()
    sys.exit(code)


def _work_and_stay(run_dir: Path, until: Stage, lock: RunLock | None) -> None:
    """Does one dry run after the other and keeps what they share; a new one stops the one before and removes its folder.

    Returns at the end of stdin: nobody waits for the work once the program that started it has gone.
    """
    from tuneproof.engine.stages.kept_readings import KeptReadings

    kept, folders, now = KeptReadings(), queue.Queue[Path | None](), [StopRequest()]

    def read() -> None:
        for line in sys.stdin:
            folders.put(Path(line.rstrip("\n")))
            now[0].request()
        folders.put(None)
        now[0].request()

    threading.Thread(target=read, daemon=True).start()
    work(run_dir, until, now[0], lock=lock, kept=kept)
    while (following := folders.get()) is not None:
        shutil.rmtree(run_dir, ignore_errors=True)
        run_dir, now[0] = following, StopRequest()
        if folders.empty():
            work(run_dir, until, now[0], kept=kept)
    shutil.rmtree(run_dir, ignore_errors=True)


def _leave_at_once() -> NoReturn:
    """Ends this process and those that it started, without waiting for threads that may be in something that never ends."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
