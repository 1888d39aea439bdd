"""Copying: by the terminal's own escape sequence, which a multiplexer may swallow, and always into a file as well."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from textual.app import App


def copy(app: App[Any], text: str) -> Path:
    """Copies the text and returns the file that also holds it."""
    app.copy_to_clipboard(text)
    with tempfile.NamedTemporaryFile("w", prefix="tuneproof-", suffix=".txt", delete=False, encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(file.name)
