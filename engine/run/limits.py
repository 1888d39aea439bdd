"""Distinguishes limits of the machine from defects: libraries report a full disk or exhausted memory in many classes and words."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from tuneproof.engine.core.errors import DiskFull, OutOfMemory, TuneproofError, UsageError

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_WRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST)

FULL_DISK_WORDS = [*(f"os error {number}" for number in FULL_DISK), "PytorchStreamWriter failed writing"]
"""How safetensors (in Rust) and torch (in C++) report a full disk: in words, without an errno."""

NO_MEMORY_WORDS = ["out of memory", "can't allocate memory", "Cannot allocate memory"]
"""How torch reports exhausted memory, on a GPU and on a CPU: on a CPU as a RuntimeError."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether the error means that there was not enough memory, on a GPU or on a CPU."""
    if isinstance(error, OutOfMemory | MemoryError):
        return True
    return _errno(error) == errno.ENOMEM or _mentions(error, NO_MEMORY_WORDS)


def machine_limit(error: Exception, where: Path) -> TuneproofError | None:
    """The user's error for a limit of the machine, or None if the error is something else."""
    number = _errno(error)
    if number in FULL_DISK or _mentions(error, FULL_DISK_WORDS):
        return DiskFull("the disk is full, or the file is larger than allowed", where=str(where), fix="make room, then add --resume")
    if is_out_of_memory(error):
        fix = "free memory and add --resume, or lower training.batch_size in a new run"
        return OutOfMemory("out of memory", where=str(where), fix=fix)
    if number in NOT_WRITABLE:
        return UsageError(f"cannot write: {os.strerror(number or 0)}", where=str(where), fix="choose another folder with --run-dir")
    return None


def _errno(error: Exception) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _mentions(error: Exception, words: Sequence[str]) -> bool:
    message = str(error)
    return any(each in message for each in words)
