"""Slurm's commands: whether a cluster accepts a job, whether a job still exists, and ending it."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from tuneproof.engine.case.slurm import Slurm
from tuneproof.engine.core.errors import GateClosed, UsageError
from tuneproof.engine.core.hardware import is_installed

ANSWER_SECONDS = 5.0
"""How long to wait for the controller before it is considered out of reach."""

SUBMIT_SECONDS = 60.0

WARNING_SECONDS = 90
"""How long before its time limit a job is signalled: enough to finish a step and write a checkpoint."""

NO_SUCH_JOB = ("Invalid job id", "already completing or completed")
"""What squeue and scancel say of a job that is gone; their exit code is the same for every error."""

WHERE = "training.launcher: slurm"


def sbatch_options(settings: Slurm) -> dict[str, str | int | Literal[True]]:
    """The job's options by their sbatch names, with underscores; True for a flag without a value."""
    optional = {
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "gpus_per_node": settings.gpus,
        "cpus_per_task": settings.cpus,
        "mem": None if settings.memory_gb is None else f"{math.ceil(settings.memory_gb * 1024)}M",
        "time": None if settings.hours is None else math.ceil(settings.hours * 60),
    }
    given = {key: value for key, value in optional.items() if value is not None}
    # SIGTERM is the only signal that the worker handles. A job that is requeued would start again after it was reported as ended.
    fixed: dict[str, str | int | Literal[True]] = {"nodes": settings.nodes, "signal": f"TERM@{WARNING_SECONDS}", "no_requeue": True}
    return fixed | given | {key.replace("-", "_"): value for key, value in settings.extra.items()}


def check_slurm(settings: Slurm) -> None:
    """Raises GateClosed if no job can be submitted from this machine, or if the cluster would refuse this one."""
    if not is_installed("submitit"):
        fix = "pip install 'tuneproof[slurm]', or use launcher: local"
        raise GateClosed("submitit is not installed", where=WHERE, fix=fix)
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        fix = "start tuneproof on a login node of the cluster, or use launcher: local"
        raise GateClosed("there is no sbatch on this machine", where=WHERE, fix=fix)
    flags = [sbatch_flag(key, value) for key, value in sbatch_options(settings).items()]
    command = ["sbatch", "--test-only", *flags, "--wrap", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SUBMIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise job_refused(f"no answer in {SUBMIT_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise job_refused(done.stderr)


def sbatch_flag(key: str, value: str | int | Literal[True]) -> str:
    """An option as it is written on sbatch's command line."""
    name = "--" + key.replace("_", "-")
    return name if value is True else f"{name}={value}"


def job_refused(output: str) -> GateClosed:
    """The error for a job that Slurm refuses, with what sbatch printed."""
    lines = [line.removeprefix("sbatch: ").removeprefix("error: ").strip() for line in output.splitlines()]
    why = "; ".join(dict.fromkeys(line for line in lines if line)) or "it gives no reason"
    return GateClosed(f"Slurm refuses the job: {why}", where="training.slurm", fix="fix that section, or use launcher: local")


def is_queued_or_running(job: str) -> bool:
    """Whether the job is queued or runs; assumed if the cluster gives no answer."""
    done = _run("squeue", "--noheader", "--jobs", job, "--format", "%T")
    if done is None:
        return True
    if done.returncode != 0:
        return not _is_gone(done)
    return bool(done.stdout.strip())


def script_of(job: str) -> Path:
    """The script that a job runs. Raises UsageError if the cluster gives no answer."""
    done = _run("squeue", "--noheader", "--jobs", job, "--format", "%o")
    if done is None or done.returncode != 0:
        raise UsageError("the cluster does not say which run the job belongs to", where=f"Slurm job {job}", fix=f"try: scancel {job}")
    return Path(done.stdout.strip())


def signal_stop(job: str) -> None:
    """Signals the worker in the job to save a checkpoint and end, but not the script around it. Raises UsageError if Slurm refuses."""
    _cancel(job, "--signal=TERM")


def cancel_job(job: str) -> None:
    """Ends the job, or removes it from the queue. Raises UsageError if Slurm refuses."""
    _cancel(job)


def _cancel(job: str, *options: str) -> None:
    done = _run("scancel", *options, job)
    if done is None or (done.returncode != 0 and not _is_gone(done)):
        why = done.stderr.strip().removeprefix("scancel: error: ") if done else "scancel is missing, or gave no answer"
        raise UsageError(f"the job could not be cancelled: {why}", where=f"Slurm job {job}", fix=f"try: scancel {job}")


def _is_gone(done: subprocess.CompletedProcess[str]) -> bool:
    return any(words in done.stderr for words in NO_SUCH_JOB)


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    """The result of a Slurm command; None if the command is missing, or the controller gives no answer."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
