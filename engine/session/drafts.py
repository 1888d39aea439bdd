"""The case files of a folder, so that a case that was begun is found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.case.draft import Draft
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.run.listing import RunSummary
from tuneproof.engine.session.runs_of_case import outcome

LARGEST = 1 << 20
"""Bytes of a file that may be a case; a larger YAML file is something else."""


@dataclass(frozen=True)
class FoundCase:
    """A case file, and how far it is."""

    path: Path
    name: str
    progress: str


def cases_in(folder: Path, runs: Sequence[RunSummary] = ()) -> list[FoundCase]:
    """The case files of a folder, the last changed first; files that are no cases are left out.

    `runs`, the newest first, say what became of those that were run.
    """
    return [found for path in sorted(_yaml_files(folder), key=_changed, reverse=True) if (found := _case_in(path, runs)) is not None]


def _yaml_files(folder: Path) -> Iterator[Path]:
    for pattern in ("*.yaml", "*.yml"):
        yield from (path for path in folder.glob(pattern) if path.is_file() and path.stat().st_size <= LARGEST)


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _case_in(path: Path, runs: Sequence[RunSummary]) -> FoundCase | None:
    try:
        draft = Draft.open(path)
    except (TuneproofError, OSError):
        return None
    missing = len(draft.unanswered())
    if missing:
        progress = f"{missing} of the questions are open" if missing > 1 else "one question is open"
    elif draft.content.data is None:
        progress = "answered; no data yet"
    else:
        progress = "answered, with data" if draft.content.task is None else (outcome(draft, runs) or "ready to run")
    return FoundCase(path, draft.content.name, progress)
