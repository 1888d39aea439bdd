"""Telling a machine's limit from a defect: libraries report a full disk or exhausted memory in many classes and words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from tuneproof.engine.core.errors import RunFailed, TuneproofError, UsageError

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_WRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST)

FULL_DISK_WORDS = [*(f"os error {number}" for number in FULL_DISK), "PytorchStreamWriter failed writing"]
"""How safetensors (in Rust) and torch (in C++) tell of a full disk: in words, without an errno."""

NO_MEMORY_WORDS = ["out of memory", "can't allocate memory", "Cannot allocate memory"]
"""How torch tells of exhausted memory, on a GPU and on a CPU."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether there was not memory enough, on a GPU or on a CPU."""
    number = error.errno if isinstance(error, OSError) else None
    return number == errno.ENOMEM or isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY_WORDS)


def machine_limit(error: Exception, where: Path) -> TuneproofError | None:
    """The user's error for a limit of the machine, or none where the error is something else."""
    number = error.errno if isinstance(error, OSError) else None
    told = str(error)
    if number in FULL_DISK or any(words in told for words in FULL_DISK_WORDS):
        return RunFailed("the disk is full, or the file larger than allowed", where=str(where), fix="make room, then add --resume")
    if is_out_of_memory(error):
        fix = "free memory and add --resume, or lower training.batch_size in a new run"
        return RunFailed("out of memory", where=str(where), fix=fix)
    if number in NOT_WRITABLE:
        return UsageError(f"cannot write: {os.strerror(number or 0)}", where=str(where), fix="choose another folder with --run-dir")
    return None
