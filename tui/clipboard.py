"""Copying: to the clipboard by an escape sequence, which tmux may swallow, and always to a file as well."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from textual.app import App


def copy(app: App[Any], text: str) -> Path:
    """Copies the text to the clipboard and to a temporary file; returns the file's path."""
    app.copy_to_clipboard(text)
    with tempfile.NamedTemporaryFile("w", prefix="tuneproof-", suffix=".txt", delete=False, encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(file.name)
