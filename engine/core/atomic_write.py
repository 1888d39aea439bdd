"""Writing a file so that a crash never leaves half of it."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""Permissions of what only this user may read, whatever the umask."""

_TEMPORARY = re.compile(r"\.tuneproof-[0-9a-f]{16}\.tmp")


def write_atomically(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Writes a text file, with the folders above it; after a crash there is the old file or the new one, never part of one.

    `mode` is that of the file, less the umask. Raises OSError if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Each writer has a name of its own: with a common one, two that write at once would rename each other's file.
    temporary = path.with_name(f".tuneproof-{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_temporary(path: Path) -> bool:
    """Whether the path is a file that `write_atomically` had not renamed yet when its process was killed."""
    return _TEMPORARY.fullmatch(path.name) is not None
