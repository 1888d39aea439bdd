"""Opening files in a folder that somebody else may have prepared: only regular files, so that no device or pipe is read or waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from tuneproof.engine.core.atomic_write import PRIVATE_FILE
from tuneproof.engine.core.errors import UsageError


def open_regular(path: Path) -> BinaryIO:
    """Opens a file for reading. Raises OSError if it cannot be read or is no regular file."""
    return os.fdopen(_checked(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), path), "rb")


def open_for_appending(path: Path) -> int:
    """The descriptor of a file to append to, made for this user alone if it is not there.

    Links are not followed: one in a run folder could lead to any file of the user. Raises UsageError for a link or anything else that is
    no regular file, and OSError if the file cannot be written.
    """
    return open_private(path, os.O_WRONLY | os.O_APPEND)


def open_private(path: Path, flags: int) -> int:
    """The descriptor of a file for this user alone, made if it is not there; otherwise as `open_for_appending`."""
    try:
        return _checked(os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, PRIVATE_FILE), path)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR):
            raise UsageError("this is not a regular file", where=str(path), fix="remove it") from None
        raise


def _checked(descriptor: int, path: Path) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file", str(path))
