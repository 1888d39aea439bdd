"""Slurm: whether a job can be submitted from this machine."""

from __future__ import annotations

import os
import shutil
import subprocess

from tuneproof.engine.core.hardware import is_installed
from tuneproof.engine.doctor.line import Group, Line, good, limited, missing
from tuneproof.engine.run.slurm import ANSWER_SECONDS

NAME = "Slurm"
LOCAL = "training.launcher: local needs none of it"


def slurm_line() -> Line:
    """The line about the cluster, or about the job that this is."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is not None:
        return good(Group.CLUSTER, NAME, f"this is job {job} on {os.environ.get('SLURMD_NODENAME', 'a node')}")
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        return missing(Group.CLUSTER, NAME, "no sbatch on this machine", f"{LOCAL}; else start tuneproof on a login node")
    partitions = _partitions()
    if partitions is None:
        return limited(Group.CLUSTER, NAME, "its controller does not answer", "sinfo shows why; SLURM_CONF names its configuration")
    if not is_installed("submitit"):
        return limited(Group.CLUSTER, NAME, f"partitions: {partitions}", "for training.launcher: slurm, pip install 'tuneproof[slurm]'")
    return good(Group.CLUSTER, NAME, f"partitions: {partitions}; tuneproof doctor --slurm looks at its nodes")


def _partitions() -> str | None:
    """The partitions with their nodes and GPUs; None if the controller gives no answer."""
    command = ["sinfo", "--noheader", "--format", "%P %D×%G"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    lines = [line.strip().replace("×(null)", "").split() for line in done.stdout.splitlines()]
    return ", ".join(f"{name} ({nodes})" for name, nodes in (line for line in lines if len(line) == 2)) or None
