"""The one family of errors that a user, or the user's machine, can cause; anything else is a defect and may raise."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial


class ExitCode(IntEnum):
    """How a command ends; the meaning of each number is part of the contract."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    REFUSED = 3
    FAILED = 4
    DIFFERS = 5
    INTERRUPTED = 130


class TuneproofError(Exception):
    """What is wrong, where (file, line, key), and what to do about it."""

    exit_code = ExitCode.DEFECT

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what, self.where, self.fix = what, where, fix

    def __reduce__(self) -> tuple[Callable[[str], TuneproofError], tuple[str]]:
        # An error may come from another process.
        return partial(type(self), where=self.where, fix=self.fix), (self.what,)

    def __str__(self) -> str:
        located = f"{self.where}: {self.what}" if self.where else self.what
        return f"{located}; {self.fix}" if self.fix else located


class UsageError(TuneproofError):
    """The command line asks for something that does not exist or cannot be combined."""

    exit_code = ExitCode.USAGE


class CaseError(TuneproofError):
    """The case file cannot be read, or says something that is not allowed."""

    exit_code = ExitCode.USAGE


class DataRefused(TuneproofError):
    """The data cannot be used as it is."""

    exit_code = ExitCode.REFUSED


class ShapeUnknown(DataRefused):
    """The keys of the rows do not say which one is the input and which the output."""


class GateClosed(TuneproofError):
    """A step was asked for whose conditions do not hold."""

    exit_code = ExitCode.REFUSED


class RunFailed(TuneproofError):
    """The run met a limit of the machine or of the numbers; it can be resumed."""

    exit_code = ExitCode.FAILED


class OutOfMemory(RunFailed):
    """There was not enough memory, on a GPU or in the machine."""


class DiskFull(RunFailed):
    """The disk is full, or a file is larger than allowed."""


class VerifyFailed(TuneproofError):
    """A stored file is not what the card says it is."""

    exit_code = ExitCode.DIFFERS


class Interrupted(TuneproofError):
    """The run was asked to stop; it can be resumed."""

    exit_code = ExitCode.INTERRUPTED


class StartAgain(Exception):
    """No error: the worker has put down what to do otherwise, and has to go on in a fresh process."""
