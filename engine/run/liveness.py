"""Whether a run's worker is alive: by pid and start time on this machine, so that a reused pid does not count, else by its job."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import psutil

from tuneproof.engine.run import slurm
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.lock import LOCK

WORKER_MODULE = "tuneproof.engine.worker"
"""What Python runs as a worker."""

SAME_START_SECONDS = 2.0
"""Start times are counted from the boot time, which moves a little when the clock is set."""


def is_here(launched: Launched) -> bool:
    """Whether the worker was launched on this machine; on another one its pid says nothing."""
    return launched.host in ("", socket.gethostname())


def is_alive(launched: Launched) -> bool:
    """Whether the worker is alive; on another machine, whether its job exists, and without a job it is assumed to be."""
    if is_here(launched):
        return worker_process(launched) is not None
    return launched.slurm_job is None or slurm.is_queued_or_running(launched.slurm_job)


def worker_process(launched: Launched) -> psutil.Process | None:
    """The worker's process; None if it has ended or is on another machine."""
    if not is_here(launched):
        return None
    try:
        process = psutil.Process(launched.pid)
        is_same = abs(process.create_time() - launched.process_started) < SAME_START_SECONDS
        # A worker that has ended stays a zombie until its parent waits for it, which may never happen.
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def is_worker_of(process: psutil.Process, run_dir: Path) -> bool:
    """Whether the process is a worker that holds the lock of this run: what a log says alone can name any process.

    Raises psutil.Error if the process has ended or is another user's.
    """
    if WORKER_MODULE not in process.cmdline():
        return False
    try:
        lock = (run_dir / LOCK).lstat()
    except OSError:
        return False
    return stat.S_ISREG(lock.st_mode) and any(_is_same(lock, file.path) for file in process.open_files())


def _is_same(lock: os.stat_result, path: str) -> bool:
    try:
        return os.path.samestat(lock, Path(path).stat())
    except OSError:
        return False
