"""Whether a worker is alive: its pid, and its start time, so that a pid used again is not taken for it; elsewhere, its job."""

from __future__ import annotations

import socket

import psutil

from tuneproof.engine.run import slurm
from tuneproof.engine.run.events import Launched

SAME_START_SECONDS = 2.0
"""Start times are counted from the boot, whose time moves a little when the clock is set."""


def is_here(launched: Launched) -> bool:
    """Whether the worker was launched on this machine; elsewhere its pid says nothing."""
    return launched.host in ("", socket.gethostname())


def is_alive(launched: Launched) -> bool:
    """Whether the worker is still there; one on another machine is seen only as a job of a cluster, and else taken to be."""
    if is_here(launched):
        return worker_process(launched) is not None
    return launched.slurm_job is None or slurm.is_queued_or_running(launched.slurm_job)


def worker_process(launched: Launched) -> psutil.Process | None:
    """The worker's process; none where it has ended, or is on another machine."""
    if not is_here(launched):
        return None
    try:
        process = psutil.Process(launched.pid)
        same = abs(process.create_time() - launched.process_started) < SAME_START_SECONDS
        # A worker that has ended is a zombie until its starter, who may never do so, waits for it.
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
