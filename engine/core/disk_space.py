"""Room on a disk: how much is free in a folder, and a check for it before something large is written."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from tuneproof.engine.core.errors import DiskFull

BLOCK_BYTES = 4096
"""The unit in which most file systems give room to a file."""


def free_bytes(folder: Path) -> int | None:
    """The bytes that this user may still write on the disk of a folder, or of what of its path exists; quotas are not seen.

    None if the file system does not say: some network file systems report a size of 0.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        usage = shutil.disk_usage(existing)
    except OSError:
        return None
    return usage.free if usage.total else None


def require_room(folder: Path, needed: int, what: str) -> None:
    """Raises DiskFull if the disk of a folder has no room for `needed` bytes of `what`, before any of them is written."""
    free = free_bytes(folder)
    if free is not None and needed > free:
        raise DiskFull(
            f"the disk has no room for {what}: {megabytes(needed, up=True)} are needed, {megabytes(free)} are free",
            where=str(folder),
            fix="make room, then add --resume",
        )


def room_for_files(*sizes: int) -> int:
    """The bytes that files of these sizes take on a disk."""
    return sum(-(-size // BLOCK_BYTES) * BLOCK_BYTES for size in sizes)


def folder_bytes(folder: Path) -> int:
    """The bytes of all files below a folder, in which another process may be writing; 0 if there is no folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(Path(parent, name)).st_size
    return total


def megabytes(size: int, *, up: bool = False) -> str:
    """A number of bytes in MB with one decimal, rounded down, or up: so what is needed and what is free never read the same."""
    tenths = -(-size // 10**5) if up else size // 10**5
    return f"{tenths / 10:,.1f} MB"
