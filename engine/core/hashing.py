"""SHA-256 of files and of plain data: what the manifest and the frozen sets rest on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def sha256_text(text: str) -> str:
    """The hexadecimal digest of a text as UTF-8; lone surrogates count as they are stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_data(data: Any) -> str:
    """The digest of JSON-like data, whatever the order of its keys."""
    return sha256_text(json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def sha256_file(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
