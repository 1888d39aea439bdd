"""File systems that are really small, and filling them as another program may."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

BLOCK = 4096


def fill(disk: Path, *, leave: int = 0) -> None:
    """Takes all room that there is but `leave` bytes."""
    with (disk / "filler").open("ab", buffering=0) as file:
        try:
            while shutil.disk_usage(disk).free > leave:
                file.write(b"x" * max(BLOCK, min(1 << 20, shutil.disk_usage(disk).free - leave)))
        except OSError as error:
            assert error.errno == errno.ENOSPC


def make_room(disk: Path) -> None:
    """Gives back what `fill` took."""
    (disk / "filler").unlink()
