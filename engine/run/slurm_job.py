"""The worker as a job of a Slurm cluster, followed through the run folder, which both machines share."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneproof.engine.case.slurm import Slurm
from tuneproof.engine.core.atomic_write import PRIVATE_FOLDER
from tuneproof.engine.core.errors import ExitCode, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import slurm
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.logged_end import logged_end
from tuneproof.engine.run.node_rendezvous import FOLDER, rendezvous_file
from tuneproof.engine.run.process import last_lines, start_process, worker_log_tail
from tuneproof.engine.run.store import EVENTS
from tuneproof.engine.run.worker_exit import cause_of, documented_exit_code

if TYPE_CHECKING:
    import submitit

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""What clusters signal a job with before they end it."""

QUERY_SECONDS = 5.0
"""Seconds between two queries about the job: every query is work for a controller that all users share."""


@dataclass
class SlurmWorker:
    """The job that does a run's work."""

    job: str
    run_dir: Path
    offset: int
    """Where in the event log its events begin, in bytes."""
    result: Path
    """submitit's pickle of what `run_in_job` returned."""
    log: Path
    """The job's own stderr."""
    starts_within: float = math.inf
    _cancelled: bool = False
    _exists: bool = True
    _queried_at: float = field(default_factory=time.monotonic)

    def is_launched_by(self, event: Launched) -> bool:
        """Whether the event is of the worker in this job."""
        return event.slurm_job == self.job

    def queue_status(self) -> str | None:
        """That it is queued; None once its worker has the run or the job has ended."""
        return None if self._cancelled or self._has_begun() or not self.is_running() else f"Slurm job {self.job} is queued"

    def log_end(self) -> str:
        """The end of the job's own log if the job itself failed, else of the worker's."""
        return last_lines(self.log) or worker_log_tail(self.run_dir) or f"Slurm job {self.job} was cancelled before it started"

    def is_running(self) -> bool:
        """Whether the job was queued or running at most `QUERY_SECONDS` ago."""
        if self.result.exists():
            return False
        if self._exists and time.monotonic() - self._queried_at > QUERY_SECONDS:
            self._exists, self._queried_at = slurm.is_queued_or_running(self.job), time.monotonic()
        return self._exists

    def exit_code(self) -> int:
        """Waits for the job and returns the worker's exit code.

        A worker that was killed has failed; a job that was cancelled in the queue was interrupted.
        """
        while self.is_running():
            time.sleep(1)
        code = self._returned()
        if code is not None and (documented := documented_exit_code(code)) is not None:
            return int(documented)
        logged = logged_end(self.run_dir / EVENTS, self.offset, self.is_launched_by)
        if logged is None:
            logged = ExitCode.INTERRUPTED if self._cancelled else ExitCode.FAILED
        return int(logged)

    def ended_by(self) -> signal.Signals | None:
        """The signal that ended the worker, if the job outlived it."""
        code = self._returned()
        return signal.Signals(-code) if code is not None and code < 0 else None

    def cause(self) -> TuneproofError | None:
        """Waits for the job and returns the error that the worker's exit code names."""
        self.exit_code()
        code = self._returned()
        return None if code is None else cause_of(code, self.run_dir)

    def stop(self) -> None:
        """Asks the worker to save a checkpoint and end; if it has not begun, there is nothing to save, and the job is cancelled."""
        if not self.is_running():
            return
        if self._has_begun():
            slurm.signal_stop(self.job)
        else:
            self.kill()

    def kill(self) -> None:
        """Cancels the job."""
        slurm.cancel_job(self.job)
        # Query the cluster again at once.
        self._cancelled, self._queried_at = True, -math.inf

    def _has_begun(self) -> bool:
        chunks = EventReader(self.run_dir / EVENTS, self.offset).read_chunks()
        return any(isinstance(event, Launched) and self.is_launched_by(event) for events in chunks for event in events)

    def _returned(self) -> int | None:
        """What `run_in_job` returned; None if the job was killed before it could."""
        try:
            outcome, value = pickle.loads(self.result.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            return None
        return value if outcome == "success" else None


def submit_job(run_dir: Path, until: Stage, settings: Slurm, offset: int) -> SlurmWorker:
    """Submits the worker of a run. Raises GateClosed if Slurm refuses the job."""
    import submitit

    slurm.check_slurm(settings)
    (run_dir / FOLDER).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    executor = job_executor(run_dir.resolve() / FOLDER, settings)
    try:
        job = executor.submit(run_in_job, run_dir.resolve(), until)
    except submitit.core.utils.FailedJobError as error:
        raise slurm.job_refused(str(error)) from None
    return SlurmWorker(job.job_id, run_dir, offset, job.paths.result_pickle, job.paths.stderr)


def job_executor(folder: Path, settings: Slurm) -> submitit.SlurmExecutor:
    """What submits jobs with these settings, one task per node; their scripts, logs and results are in the folder."""
    import submitit

    executor = submitit.SlurmExecutor(folder)
    # Without these, submitit asks for five minutes and charges them to a wckey of its own.
    unset: dict[str, Any] = {"time": None, "wckey": None}
    # When one node is lost, the others have nothing left to do.
    srun_args = ["--kill-on-bad-exit=1"] if settings.nodes > 1 else []
    executor.update_parameters(
        **unset,
        job_name="tuneproof",
        nodes=settings.nodes,
        ntasks_per_node=1,
        srun_args=srun_args,
        additional_parameters=slurm.sbatch_options(settings),
    )
    return executor


def run_in_job(run_dir: Path, until: Stage) -> int:
    """What each task of the job runs: the worker on the first node, in a process that can replace itself, and a node agent on the others.

    Returns the exit code.
    """
    if os.environ["SLURM_PROCID"] != "0":
        return _run_node_agent(run_dir)
    process = start_process(run_dir, until, "--slurm-job", os.environ["SLURM_JOB_ID"])
    # The worker handles SIGTERM alone.
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: process.terminate())
    return process.wait()


def _run_node_agent(run_dir: Path) -> int:
    """Takes part in the worker's trainings until the worker has returned."""
    from submitit.core.utils import JobPaths

    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    result = JobPaths(run_dir / FOLDER, job_id=os.environ["SLURM_JOB_ID"]).result_pickle
    command = [sys.executable, "-m", "tuneproof.engine.training.distributed.node_agent", str(rendezvous_file(run_dir)), str(result)]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    return 0
