"""Which runs are of a case as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuneproof.engine.case.draft import Draft, file_stem
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.run.listing import RunSummary
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.run.store import CHOSEN_LATER, RunStore

LOOKED_AT = 3
"""Runs named after a case that are compared with it: each comparison reads a file, and the newest are likely to be the right ones."""


def newest_run(draft: Draft, runs: Path) -> RunStore | None:
    """The newest run in a folder with the frozen sections of the draft."""
    for path in sorted(runs.glob("*"), key=lambda p: p.lstat().st_mtime, reverse=True):
        if is_run_of(draft, path):
            return RunStore(path)
    return None


def is_run_of(draft: Draft, run: Path) -> bool:
    """Whether a folder is a run with the frozen sections of the draft."""
    try:
        case, wanted = RunStore.open(run).case, draft.case()
    except TuneproofError:
        return False
    frozen = [section for section in DraftCase.model_fields if section not in CHOSEN_LATER]
    return all(getattr(case, section) == getattr(wanted, section) for section in frozen)


def outcome(draft: Draft, runs: Sequence[RunSummary]) -> str | None:
    """What became of a case in a few words, from its newest run among `runs`, the newest first; None if it has not been run as it is."""
    named = [run for run in runs if _is_named_after(run.name, draft.content.name)][:LOOKED_AT]
    run = next((run for run in named if is_run_of(draft, run.path)), None)
    if run is None:
        return None
    if run.verdict is not None:
        return f"finished: {run.verdict}"
    if run.status is RunStatus.NEW or run.stage is None:
        return "begun"
    return f"{run.stage} done" if run.status is RunStatus.FINISHED else f"{run.status.value}: {run.stage}"


def _is_named_after(run: str, case: str) -> bool:
    stem, _, number = run.rpartition("-")
    return stem == file_stem(case) and number.isdecimal()
