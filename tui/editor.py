"""A text in the editor of the user, while the wizard leaves the terminal to it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

EDITORS = ("sensible-editor", "nano", "vim", "vi")
"""Taken in this order where neither variable names one."""

MOST_BYTES = 4 << 20


class EditorError(Exception):
    """The editor could not be used; the text is as it was."""


def editor_command() -> list[str]:
    """The editor with its options: `$VISUAL`, else `$EDITOR`, else the first that is installed. Raises EditorError if there is none."""
    for name in ("VISUAL", "EDITOR"):
        named = os.environ.get(name, "").strip()
        if named:
            try:
                words = shlex.split(named)
            except ValueError as error:
                raise EditorError(f"${name} cannot be read: {error}") from None
            if shutil.which(words[0]) is None:
                raise EditorError(f"${name} names `{words[0]}`, which is not installed")
            return words
    found = next((path for path in map(shutil.which, EDITORS) if path), None)
    if found is None:
        raise EditorError("there is no editor: set $EDITOR to one")
    return [found]


def edited(app: App[Any], text: str, suffix: str = ".txt") -> str:
    """The text as it is after the editor was closed. Raises EditorError if it could not be edited."""
    command = editor_command()
    with tempfile.TemporaryDirectory(prefix="tuneproof-") as folder:
        path = Path(folder) / f"text{suffix}"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            with app.suspend():
                code = subprocess.run([*command, str(path)], check=False).returncode
        except SuspendNotSupported:
            raise EditorError("this terminal cannot be left to an editor: edit the text here") from None
        except OSError as error:
            raise EditorError(f"{command[0]} cannot be started: {error.strerror or error}") from None
        app.refresh(layout=True)
        if code != 0:
            raise EditorError(f"{command[0]} ended with code {code}: nothing was changed")
        return _read(path, text)


def _read(path: Path, before: str) -> str:
    """What the editor wrote; the line end that editors add to the last line is not part of the text."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise EditorError(f"the text is longer than {MOST_BYTES >> 20} MiB: nothing was changed")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EditorError(f"what the editor wrote cannot be read: {error}") from None
    return text if before.endswith("\n") else text.removesuffix("\n")
