"""How a worker's exit code says what ended it, for the case that its last event could not be written."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.core.errors import DiskFull, ExitCode, OutOfMemory, RunGone, TuneproofError
from tuneproof.engine.run.limits import disk_full, out_of_memory

CAUSES: dict[int, type[TuneproofError]] = {101: DiskFull, 102: OutOfMemory, 103: RunGone}
"""Exit codes of a worker's process besides those of all commands; no program sees them but the one that started the worker."""


def worker_exit_code(error: TuneproofError) -> int:
    """The exit code of a worker that ends with this error."""
    return next((code for code, kind in CAUSES.items() if type(error) is kind), int(error.exit_code))


def documented_exit_code(worker_code: int) -> ExitCode | None:
    """The exit code of all commands that a worker's stands for; None if it is a signal or a code of Python's own, which says nothing."""
    if worker_code in CAUSES:
        return CAUSES[worker_code].exit_code
    return ExitCode(worker_code) if worker_code in list(ExitCode) else None


def cause_of(worker_code: int, run_dir: Path) -> TuneproofError | None:
    """The error that a worker's exit code stands for; None if the code says no more than how it ended."""
    match CAUSES.get(worker_code):
        case kind if kind is DiskFull:
            return disk_full(run_dir)
        case kind if kind is OutOfMemory:
            return out_of_memory(run_dir)
        case kind if kind is RunGone:
            return run_gone(run_dir)
    return None


def run_gone(run_dir: Path) -> RunGone:
    """The error for a run whose folder was deleted."""
    return RunGone("the run folder was deleted while it was in use", where=str(run_dir), fix="start a new run")
