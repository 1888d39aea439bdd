"""Errors that a user, or the user's machine, can cause. Any other exception is a defect of tuneproof."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial


class ExitCode(IntEnum):
    """The exit codes of all commands; scripts may rely on them."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    REFUSED = 3
    FAILED = 4
    DIFFERS = 5
    INTERRUPTED = 130
    """As a shell reports a program that Ctrl+C ended: 128 + SIGINT."""


class TuneproofError(Exception):
    """What is wrong, where (file, line or key), and what to do about it; each subclass has its exit code."""

    exit_code = ExitCode.DEFECT

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what, self.where, self.fix = what, where, fix

    def __reduce__(self) -> tuple[Callable[[str], TuneproofError], tuple[str]]:
        # Errors are pickled to come from another process, and pickle passes no keyword arguments.
        return partial(type(self), where=self.where, fix=self.fix), (self.what,)

    def __str__(self) -> str:
        located = f"{self.where}: {self.what}" if self.where else self.what
        return f"{located}; {self.fix}" if self.fix else located


class UsageError(TuneproofError):
    """The command line names something that does not exist, or combines options that do not go together."""

    exit_code = ExitCode.USAGE


class CaseError(TuneproofError):
    """The case file cannot be read, or has a value that is not allowed."""

    exit_code = ExitCode.USAGE


class DataRefused(TuneproofError):
    """The data cannot be used as they are."""

    exit_code = ExitCode.REFUSED


class ShapeUnknown(DataRefused):
    """The keys of the rows do not say which one is the input and which the output."""


class GateClosed(TuneproofError):
    """A stage cannot start, because one of its conditions is not met."""

    exit_code = ExitCode.REFUSED


class RunFailed(TuneproofError):
    """The run failed, for example for lack of memory or at a loss that is not finite; it can be resumed."""

    exit_code = ExitCode.FAILED


class OutOfMemory(RunFailed):
    """There was not enough memory, on a GPU or in the machine."""


class DiskFull(RunFailed):
    """The disk is full, or a file is larger than allowed."""


class CannotResume(TuneproofError):
    """The run failed, and would fail again in the same place if it were resumed as it is."""

    exit_code = ExitCode.FAILED


class LossNotFinite(CannotResume):
    """A step of the training came to no finite loss or gradient; with a lower learning rate it begins again."""


class RunGone(CannotResume):
    """The run folder was deleted while it was in use."""


class VerifyFailed(TuneproofError):
    """A stored file is not what the run wrote, or does not agree with the other files."""

    exit_code = ExitCode.DIFFERS

    def __init__(self, what: str, *, where: str = "", fix: str = "restore the run from a copy, or start a new run") -> None:
        super().__init__(what, where=where, fix=fix)


class Interrupted(TuneproofError):
    """The run was stopped by the user; it can be resumed."""

    exit_code = ExitCode.INTERRUPTED


class RestartWorker(Exception):
    """Not an error: the worker has saved other settings, and a fresh process has to continue with them."""
