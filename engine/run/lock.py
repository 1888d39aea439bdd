"""The lock of a run folder: one process at a time works on the run."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.core.regular_files import open_private

LOCK = "lock"


@dataclass(frozen=True)
class RunLock:
    """A lock that is held. It is that of all processes that have its descriptor, and ends with the last of them."""

    descriptor: int
    is_inherited: bool = False

    @classmethod
    def acquire(cls, run_dir: Path) -> Self:
        """Locks a folder that exists. Raises UsageError if another process holds the lock, and OSError if there is no such folder."""
        while True:
            descriptor = open_private(run_dir / LOCK, os.O_RDWR)
            lock = cls(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise UsageError("another process is working on this run", where=str(run_dir), fix="wait until it ends") from None
            if lock.is_in(run_dir):
                return lock
            # The folder was deleted and made anew between the two calls.
            os.close(descriptor)

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """The lock that the program which started this process handed over; held until this process ends."""
        return cls(descriptor, is_inherited=True)

    def is_in(self, run_dir: Path) -> bool:
        """Whether the locked folder is still there under this path."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), (run_dir / LOCK).lstat())
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self.is_inherited:
            os.close(self.descriptor)
