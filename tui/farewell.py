"""The line that the shell shows after the wizard: how to come back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.tui.widgets.sanitize import sanitize

if TYPE_CHECKING:
    from tuneproof.engine.session.case_session import CaseSession


def farewell(session: CaseSession | None, run_status: str | None) -> str | None:
    """How to come back to the open case, None if there is nothing to come back to; `run_status` says what the run does now."""
    if session is None:
        return None
    if session.store is not None:
        run = shell_word(session.store.path)
        attach = f"tuneproof attach {run}"
        if run_status:
            return f"{run} is {run_status}; come back with: {attach}"
        # The wizard's first screen does not wait for what only a run needs.
        from tuneproof.engine.run.artifacts import PLAN

        plan = session.store.path / PLAN
        ends_early = session.card is not None and session.card.verdict.difference is None and plan.is_file()
        return "\n".join([*([f"what to do next is in {shell_word(plan)}"] if ends_early else []), f"open it again with: {attach}"])
    path = session.draft.path
    if path is not None and path.is_file():
        return f"the case is saved; continue with: tuneproof {shell_word(_relative(path))}"
    return None


def shell_word(path: Path) -> str:
    """A path as one would type it into a shell."""
    return sanitize(shlex.quote(str(path)), one_line=True)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
