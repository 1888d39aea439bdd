"""Reading a small text file that somebody names: an ordinary file in UTF-8, and not more of it than is expected."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MIB = 1 << 20


class TextFileError(ValueError):
    """The file cannot be read; the message is a part of a sentence for the user, and `fix` says what to do."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


def read_text_file(path: Path, most_bytes: int) -> str:
    """The text of a file, without a byte-order mark.

    Raises TextFileError if it is not an ordinary file, is larger than allowed, is not UTF-8, or cannot be read. Raises FileNotFoundError if
    there is none.
    """
    require_ordinary_file(path)
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise TextFileError(reason_of(error)) from None
    if len(content) > most_bytes:
        raise TextFileError(f"it is larger than {most_bytes // MIB} MiB", "name a smaller file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextFileError(f"byte {error.start + 1} is not UTF-8", "save it as UTF-8") from None


def require_ordinary_file(path: Path) -> None:
    """Raises TextFileError for a folder, a pipe or a device, which have no end that can be known, and FileNotFoundError for nothing."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise TextFileError(reason_of(error)) from None
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "not an ordinary file")
        raise TextFileError(f"it is {kind}", "name an ordinary file")


def reason_of(error: OSError | ValueError) -> str:
    """Why a path cannot be used, in the words of the system."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; one that cannot be looked at, or a name that no file can have, is not there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
