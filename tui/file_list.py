"""Many files in one line: those of a folder with several are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from tuneproof.engine.core.plain_text import sanitize


def file_list(names: Sequence[str]) -> str:
    """The files, sorted; several of one folder as the folder with their number."""
    folders = Counter(_folder(name) for name in names)
    shown = {name if folders[_folder(name)] == 1 or not _folder(name) else f"{_folder(name)}/ ({folders[_folder(name)]})" for name in names}
    return sanitize(", ".join(sorted(shown)), one_line=True)


def _folder(name: str) -> str:
    """The folder that stands for a file: not deeper than two, so that all checkpoints are one."""
    parts = PurePosixPath(name).parent.parts[:2]
    return "/".join(parts)
