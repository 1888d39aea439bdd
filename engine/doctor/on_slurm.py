"""The same lines from a node of the cluster: a job with the settings of a training looks at the machine that it gets."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path

from tuneproof.engine.case.slurm import Slurm
from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.doctor.line import Group, Line
from tuneproof.engine.doctor.look import look
from tuneproof.engine.run import slurm
from tuneproof.engine.run.process import last_lines
from tuneproof.engine.run.slurm_job import job_executor

ARRIVES_SECONDS = 20.0
"""How long the result of a job that has ended may take to arrive through a network file system."""


def look_on_slurm(settings: Slurm, groups: Collection[Group], queued: Callable[[str], None]) -> list[Line]:
    """Submits the job, tells its id to `queued`, and waits for its lines; an interrupt cancels it.

    Raises GateClosed if Slurm refuses the job, and RunFailed if it ends without an answer.
    """
    import submitit

    slurm.check_slurm(settings)
    # In the current folder, because that is what a node shares with this machine: a run is written here too.
    with tempfile.TemporaryDirectory(prefix="tuneproof-doctor-", dir=Path.cwd()) as folder:
        executor = job_executor(Path(folder), settings.model_copy(update={"nodes": 1}))
        try:
            job = executor.submit(look, groups)
        except submitit.core.utils.FailedJobError as error:
            raise slurm.job_refused(str(error)) from None
        queued(job.job_id)
        try:
            return _result(job.job_id, job.paths.result_pickle, job.paths.stderr)
        except BaseException:
            slurm.cancel_job(job.job_id)
            raise


def _result(job: str, result: Path, log: Path) -> list[Line]:
    gone_since: float | None = None
    while not result.exists():
        if not slurm.is_queued_or_running(job):
            gone_since = gone_since or time.monotonic()
            if time.monotonic() - gone_since > ARRIVES_SECONDS:
                raise _failed(job, last_lines(log))
        time.sleep(1)
    outcome, value = pickle.loads(result.read_bytes())
    if outcome != "success":
        raise _failed(job, str(value))
    lines: list[Line] = value
    return lines


def _failed(job: str, why: str) -> RunFailed:
    last = (why.strip().splitlines() or ["it was cancelled, or left no word"])[-1]
    fix = "the node needs this folder and the Python environment at the same paths"
    return RunFailed(f"the job did not answer: {last}", where=f"Slurm job {job}", fix=fix)
