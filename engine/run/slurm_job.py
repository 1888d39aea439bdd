"""The worker as a job of a Slurm cluster: submitted, watched over the run folder that both machines share, and told to end."""

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
from typing import Any

from tuneproof.engine.case.slurm import Slurm
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import slurm
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Failed, Finished, Launched, Stopped
from tuneproof.engine.run.node_rendezvous import FOLDER, rendezvous_file
from tuneproof.engine.run.process import last_lines, start_process, worker_log_tail
from tuneproof.engine.run.store import EVENTS

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)

ASK_SECONDS = 5.0
"""How often the cluster is asked whether the job is there: every question is work for the controller that all users share."""


@dataclass
class SlurmWorker:
    """The job that does a run's work; `offset` is where in the log its events begin."""

    job: str
    run_dir: Path
    offset: int
    result: Path
    log: Path
    starts_within: float = math.inf
    _cancelled: bool = False
    _there: bool = True
    _asked: float = field(default_factory=time.monotonic)

    def waiting(self) -> str | None:
        """That it is queued; none where its worker has the run, or it is over."""
        return None if self._cancelled or self._has_begun() or not self.is_running() else f"Slurm job {self.job} is queued"

    def last_words(self) -> str:
        """The end of the job's own log, where the job itself failed, and else of the worker's."""
        return last_lines(self.log) or worker_log_tail(self.run_dir) or f"Slurm job {self.job} was ended before it began"

    def is_running(self) -> bool:
        """Whether the job waits or runs, as it was a few seconds ago."""
        if self.result.exists():
            return False
        if self._there and time.monotonic() - self._asked > ASK_SECONDS:
            self._there, self._asked = slurm.is_queued_or_running(self.job), time.monotonic()
        return self._there

    def exit_code(self) -> int:
        """How the worker ended, after waiting for it; one that was killed has failed, and one cancelled in the queue was interrupted."""
        while self.is_running():
            time.sleep(1)
        code = self._returned()
        if code is not None and code >= 0:
            return code
        told = self._told_end()
        if told is None:
            told = ExitCode.INTERRUPTED if self._cancelled else ExitCode.FAILED
        return int(told)

    def stop(self) -> None:
        """Asks the worker for a checkpoint and an end; where it has not begun yet there is nothing to save, and the job is cancelled."""
        if not self.is_running():
            return
        if self._has_begun():
            slurm.signal_stop(self.job)
        else:
            self.kill()

    def kill(self) -> None:
        """Cancels the job."""
        slurm.cancel_job(self.job)
        # Whether it is still there is worth asking at once.
        self._cancelled, self._asked = True, -math.inf

    def _has_begun(self) -> bool:
        chunks = EventReader(self.run_dir / EVENTS, self.offset).read_chunks()
        return any(isinstance(event, Launched) for events in chunks for event in events)

    def _returned(self) -> int | None:
        """What `run_in_job` returned; none where the job was killed before it could."""
        try:
            outcome, value = pickle.loads(self.result.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            return None
        return value if outcome == "success" else None

    def _told_end(self) -> ExitCode | None:
        """How the run ended by its log, where a worker that told it was killed on its way out."""
        code = None
        for event in EventReader(self.run_dir / EVENTS, self.offset).read():
            match event:
                case Finished():
                    code = ExitCode.DONE
                case Stopped():
                    code = ExitCode.INTERRUPTED
                case Failed():
                    code = ExitCode(event.exit_code)
                case Launched():
                    code = None
        return code


def submit_job(run_dir: Path, until: Stage, settings: Slurm, offset: int) -> SlurmWorker:
    """Submits the worker of a run. Raises GateClosed where Slurm does not take it."""
    import submitit

    slurm.check_slurm(settings)
    executor = submitit.SlurmExecutor(run_dir.resolve() / FOLDER)
    # Without these, submitit asks for five minutes and charges them to an account key of its own.
    unset: dict[str, Any] = {"time": None, "wckey": None}
    # Where one node is lost, the others have nothing left to do.
    started_by = ["--kill-on-bad-exit=1"] if settings.nodes > 1 else []
    executor.update_parameters(
        **unset,
        job_name="tuneproof",
        nodes=settings.nodes,
        ntasks_per_node=1,
        srun_args=started_by,
        additional_parameters=slurm.sbatch_options(settings),
    )
    try:
        job = executor.submit(run_in_job, run_dir.resolve(), until)
    except submitit.core.utils.FailedJobError as error:
        raise slurm.job_refused(str(error)) from None
    return SlurmWorker(job.job_id, run_dir, offset, job.paths.result_pickle, job.paths.stderr)


def run_in_job(run_dir: Path, until: Stage) -> int:
    """Does the work inside the job, in a process that can replace itself; its exit code. On any node but the first, stands by for it."""
    if os.environ["SLURM_PROCID"] != "0":
        return _stand_by(run_dir)
    process = start_process(run_dir, until, "--slurm-job", os.environ["SLURM_JOB_ID"])
    # Some clusters tell a job to end by SIGUSR1 or SIGUSR2; the worker knows SIGTERM alone.
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: process.terminate())
    return process.wait()


def _stand_by(run_dir: Path) -> int:
    """Trains with the worker when that calls, until it has returned."""
    from submitit.core.utils import JobPaths

    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    over = JobPaths(run_dir / FOLDER, job_id=os.environ["SLURM_JOB_ID"]).result_pickle
    command = [sys.executable, "-m", "tuneproof.engine.training.distributed.node_agent", str(rendezvous_file(run_dir)), str(over)]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    return 0
