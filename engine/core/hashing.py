"""SHA-256 digests of files, text and data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def sha256_text(text: str) -> str:
    """The hexadecimal digest of a text in UTF-8. Lone surrogates, which UTF-8 does not allow, are encoded like other characters."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_data(data: Any) -> str:
    """The hexadecimal digest of JSON-like data; the order of keys does not matter."""
    return sha256_text(json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def sha256_file(path: Path) -> str:
    """The hexadecimal digest of a file's bytes. Raises OSError if the file cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
