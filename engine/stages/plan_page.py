"""`plan.md`: the plan of a run for its reader."""

from __future__ import annotations

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.run.artifacts import PLAN
from tuneproof.engine.stages.run_context import RunContext


def write_plan_page(run: RunContext, stopped_by: TuneproofError | None = None) -> None:
    """Writes the plan as it stands, in place of the one before; `stopped_by` is what ended the run early.

    Raises OSError if the disk does not take it.
    """
    from tuneproof.engine.planning.gather import gather_plan
    from tuneproof.engine.planning.sources import PlanSources
    from tuneproof.engine.planning.text import plan_text

    sources = PlanSources(run.case, run.store, run=run.store.path, problem=None if stopped_by is None else str(stopped_by))
    run.store.write(PLAN, plan_text(gather_plan(sources)))
