"""Starting a worker that outlives the program that started it, and asking it to stop."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil

from tuneproof.engine.core.errors import ExitCode, RunFailed, TuneproofError, UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import slurm
from tuneproof.engine.run.event_log import end_of_whole_lines
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.liveness import is_alive, is_here, is_worker_of, worker_process
from tuneproof.engine.run.node_rendezvous import FOLDER
from tuneproof.engine.run.process import LocalWorker, Worker, start_process
from tuneproof.engine.run.slurm_job import submit_job
from tuneproof.engine.run.store import EVENTS, WORKER_LOG, RunStore


def launch(run_dir: Path, until: Stage) -> tuple[Worker, int]:
    """Starts the worker with the launcher of the case; returns it, and where in the event log its events begin, in bytes.

    Raises UsageError if another process is working on the run, and GateClosed if a cluster refuses the worker.
    """
    store = RunStore(run_dir)
    with store.lock() as lock:
        offset = end_of_whole_lines(run_dir / EVENTS)
        job = store.case.training.job
        if job is not None:
            # The job locks the run itself: a lock ends with the processes of this machine.
            return submit_job(run_dir, until, job, offset), offset
        log_offset = (run_dir / WORKER_LOG).stat().st_size if (run_dir / WORKER_LOG).exists() else 0
        return LocalWorker(start_process(run_dir, until, lock=lock), run_dir, offset, log_offset), offset


def stop_run(run_dir: Path, launched: Launched) -> bool:
    """Asks the worker to save a checkpoint at the next step and end, without waiting; returns whether there is a worker to ask.

    A worker on another machine can be asked only if it is a Slurm job. A process or job that the log names and that does not work on this
    run is left alone. Raises UsageError if the worker belongs to another user.
    """
    if launched.slurm_job is not None and not is_here(launched):
        return _stop_job(run_dir, launched, launched.slurm_job)
    process = worker_process(launched)
    try:
        if process is None or not is_worker_of(process, run_dir):
            return False
        # psutil checks once more that the pid has not been reused.
        process.send_signal(signal.SIGTERM)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        raise UsageError("the worker belongs to another user", where=f"process {launched.pid}", fix="ask them to stop it") from None
    return True


def _stop_job(run_dir: Path, launched: Launched, job: str) -> bool:
    if not is_alive(launched) or slurm.script_of(job).parent.resolve() != (run_dir / FOLDER).resolve():
        return False
    slurm.signal_stop(job)
    return True


def wait_until_launched(worker: Worker, offset: int) -> bool:
    """Waits until the worker has emitted `Launched`; returns False if it ends before, or does not start in time."""
    reader, started = EventReader(worker.run_dir / EVENTS, offset), time.monotonic()
    while (waited := time.monotonic() - started) < worker.starts_within:
        if _has_launched(worker, reader):
            return True
        if not worker.is_running():
            return _has_launched(worker, reader)
        # A process starts in about a second; a job can be queued for hours.
        time.sleep(min(1.0, max(0.02, waited / 100)))
    return False


def not_started(worker: Worker) -> tuple[ExitCode, TuneproofError]:
    """Ends a worker that has not emitted `Launched`; returns its exit code and how it ended: by itself, by a signal, or by the clock."""
    hung = worker.is_running()
    worker.stop()
    if cause := worker.cause():
        return cause.exit_code, cause
    code = ExitCode(worker.exit_code())
    run_dir, by, lines = worker.run_dir, worker.ended_by(), worker.log_end().split("\n")
    if hung:
        why = f"it has not begun after {worker.starts_within:g} s"
    elif by is not None:
        why = f"it was ended by {by.name}{', as the system does when memory runs out' if by is signal.SIGKILL else ''}"
    else:
        why = lines[-1].strip().rstrip(".") or "it ended without a word"
    fix = f"{WORKER_LOG} in the run folder may say more; continue with --resume --run-dir {run_dir}"
    # Whatever its code, a worker that has not begun has done nothing.
    code = ExitCode.FAILED if hung or code is ExitCode.DONE else code
    return code, RunFailed(f"the worker did not start: {why}", where=str(run_dir), fix=fix)


def _has_launched(worker: Worker, reader: EventReader) -> bool:
    return any(isinstance(event, Launched) and worker.is_launched_by(event) for event in reader.read())
