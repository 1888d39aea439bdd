"""Room on the disk that is kept for the end of a run: what a worker says about a full disk has to fit on that disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tuneproof.engine.core.regular_files import open_private

RESERVE = "reserve"
RESERVED_BYTES = 64 << 10
"""Enough for a traceback and the last event."""


class DiskReserve:
    """A file that takes room in the run folder for as long as the work lasts, and gives it back when something fails."""

    def __init__(self, run_dir: Path) -> None:
        """Raises OSError if the disk has not even this room."""
        self._path = run_dir / RESERVE
        descriptor = open_private(self._path, os.O_WRONLY | os.O_TRUNC)
        try:
            # Random bytes, because a file system may store others compressed.
            os.write(descriptor, os.urandom(RESERVED_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Gives the room back."""
        with suppress(OSError):
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
