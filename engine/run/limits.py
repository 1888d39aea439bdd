"""Distinguishes limits of the machine from defects: libraries report a full disk or exhausted memory in many classes and words."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tuneproof.engine.core.errors import DiskFull, OutOfMemory, TuneproofError, UsageError

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_WRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST)

PROBE_BYTES = 1 << 20
"""What a disk has to take not to count as full: it may have taken small files since a large one failed."""

NO_MEMORY_WORDS = ["out of memory", "can't allocate memory", "Cannot allocate memory"]
"""How torch reports exhausted memory, on a GPU and on a CPU: on a CPU as a RuntimeError."""

NOT_MAPPED = "failed to map segment from shared object"
"""How the loader of shared libraries reports exhausted memory (glibc, `elf/dl-load.c`), and a disk whose files may not be executed."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether the error means that there was not enough memory, on a GPU or on a CPU."""
    if isinstance(error, OutOfMemory | MemoryError):
        return True
    return _errno(error) == errno.ENOMEM or _mentions(error, NO_MEMORY_WORDS) or any(map(_has_no_room_for_library, _chain(error)))


def machine_limit(error: Exception, where: Path) -> TuneproofError | None:
    """The user's error for a limit of the machine, or None if the error is something else; `where` is what was being written.

    Libraries hide a full disk behind many classes and words, so the disk is asked: call this before anything is removed from it.
    """
    numbers = {each.errno for each in _chain(error) if isinstance(each, OSError)}
    if numbers & set(FULL_DISK):
        return disk_full(where)
    if is_out_of_memory(error):
        return out_of_memory(where)
    for number in numbers & set(NOT_WRITABLE):
        return UsageError(f"cannot write: {os.strerror(number or 0)}", where=str(where), fix="choose another folder with --run-dir")
    full = next((folder for folder in (_existing_folder(where), Path(tempfile.gettempdir())) if is_disk_full(folder)), None)
    if full is not None:
        return disk_full(full)
    return disk_full(where) if where.is_dir() and _has_largest_file(where) else None


def disk_full(where: Path) -> DiskFull:
    """The error for a disk that takes no more."""
    return DiskFull("the disk is full, or the file is larger than allowed", where=str(where), fix="make room, then add --resume")


def out_of_memory(where: Path) -> OutOfMemory:
    """The error for exhausted memory."""
    fix = "free memory or lower training.batch_size, then add --resume"
    return OutOfMemory("out of memory", where=str(where), fix=fix)


def is_disk_full(folder: Path) -> bool:
    """Whether the disk of a folder takes no file of `PROBE_BYTES`, for want of room or by a quota."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # Random bytes, because a file system may store others compressed.
            file.write(os.urandom(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in FULL_DISK
    return False


def _has_largest_file(folder: Path) -> bool:
    """Whether a file in the folder has the size that this process may not exceed (`ulimit -f`)."""
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return largest != resource.RLIM_INFINITY and any(_size(path) >= largest for path in folder.rglob("*"))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _existing_folder(path: Path) -> Path:
    """The path, or what of it is a folder."""
    return next((folder for folder in (path, *path.absolute().parents) if folder.is_dir()), Path.cwd())


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _has_no_room_for_library(error: BaseException) -> bool:
    return isinstance(error, ImportError) and NOT_MAPPED in str(error) and os.strerror(errno.EPERM) not in str(error)


def _errno(error: Exception) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _mentions(error: Exception, words: Sequence[str]) -> bool:
    message = str(error)
    return any(each in message for each in words)
