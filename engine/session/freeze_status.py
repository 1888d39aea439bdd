"""When the eval set can be frozen, and what became of the freeze."""

from __future__ import annotations

from enum import Enum, auto

from tuneproof.engine.audit.report import Report
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState, RunStatus


class FreezeStatus(Enum):
    """Whether the eval set can be frozen, or what happened to the freeze."""

    READING = auto()
    """The dry run with this task has not ended yet."""
    DRY_RUN_FAILED = auto()
    AUDIT_BLOCKS = auto()
    READY = auto()
    FREEZING = auto()
    FROZEN = auto()
    BROKE_OFF = auto()
    """The worker ended before the eval set was frozen; it can be started again."""
    REFUSED = auto()
    """The run can never be frozen; a new run is needed."""


def freeze_status(run: RunState, dry_run: RunState, report: Report | None, *, is_frozen: bool, dry_run_is_current: bool) -> FreezeStatus:
    """The status of the freeze.

    `is_frozen` says whether a run was made of the draft, `dry_run_is_current` whether the dry run is of the draft as it is now.
    """
    if is_frozen:
        if Stage.SPLIT in run.done:
            return FreezeStatus.FROZEN
        if run.status in (RunStatus.NEW, RunStatus.RUNNING):
            return FreezeStatus.FREEZING
        refused = run.failure is not None and run.failure.exit_code == ExitCode.REFUSED
        return FreezeStatus.REFUSED if refused else FreezeStatus.BROKE_OFF
    if dry_run_is_current and Stage.SPLIT in dry_run.done:
        return FreezeStatus.READY
    if report is not None and report.blocking():
        return FreezeStatus.AUDIT_BLOCKS
    if dry_run.failure is not None:
        return FreezeStatus.DRY_RUN_FAILED
    return FreezeStatus.READING
