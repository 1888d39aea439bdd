"""The plan of the open case, as far as it is known: of its run, or of its draft with the dry run of its data."""

from __future__ import annotations

import os
from pathlib import Path

from tuneproof.engine.planning.gather import gather_plan
from tuneproof.engine.planning.sources import PlanSources
from tuneproof.engine.planning.text import plan_text
from tuneproof.engine.session.case_session import CaseSession


def session_plan(session: CaseSession) -> str:
    """The page. Raises CaseError for an unknown method."""
    path, run = session.draft.path, session.store
    dry_run = session.dry_run.store if session.dry_run is not None and session.dry_run_is_current else None
    problem = session.why_no_dry_run if run is None else None
    sources = PlanSources(
        session.draft.content,
        run or dry_run,
        run=run.path if run else None,
        case_file=Path(os.path.relpath(path)) if path else None,
        problem=str(problem) if problem else None,
    )
    return plan_text(gather_plan(sources))
