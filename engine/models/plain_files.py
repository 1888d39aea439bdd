"""Files of a model folder before any library reads them: ordinary, of a sensible size, and what their names say."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from tuneproof.engine.core.errors import CaseError

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How the small file begins that Git LFS leaves in place of a large one."""

LARGEST_JSON = 512 * 1024 * 1024
"""Bytes; the largest tokenizer.json of a published model has below 100 MB."""


def check_plain(path: Path) -> None:
    """Raises CaseError if the path is no ordinary file, cannot be read, is empty, or is a Git LFS pointer."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CaseError("this is not an ordinary file", where=str(path), fix="put the file of the model in its place")
        with path.open("rb") as file:
            start = file.read(len(LFS_POINTER))
    except FileNotFoundError:
        raise CaseError("the file is missing", where=str(path), fix="download the whole model") from None
    except OSError as error:
        raise CaseError(f"the file cannot be read: {error.strerror or error}", where=str(path), fix="check its permissions") from None
    if not found.st_size:
        raise CaseError("the file is empty", where=str(path), fix="download the file again")
    if start == LFS_POINTER:
        raise CaseError("this is a Git LFS pointer, not the file itself", where=str(path), fix="run `git lfs pull` in the model's folder")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a model. Raises CaseError if it is not an ordinary file with one."""
    check_plain(path)
    if path.stat().st_size > LARGEST_JSON:
        raise CaseError("the file is too large for what it should hold", where=str(path), fix="download the file again")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CaseError(f"this is not valid JSON: {reason}", where=str(path), fix="download the file again") from None
    if not isinstance(content, dict):
        raise CaseError("this is not a JSON object", where=str(path), fix="download the file again")
    return content
