"""A look at a training before anything is measured: the rows up to their split, what methods would train, and the plan that would be made.

The run folder is a temporary one: the catalogue and the plan are files in it, but no steps of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.plan import make_plans
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.kept_readings import KeptReadings
from tuneproof.engine.stages.pipeline import run_stages

if TYPE_CHECKING:
    from tuneproof.engine.stages.model_context import ModelContext


def look_ahead(store: RunStore, log: EventLog, stop: StopRequest, *, measures: bool) -> None:
    """Does the stages up to the split, and writes the catalogue and the plan of the training.

    Where the audit blocks, the catalogue is written all the same. Raises GateClosed for findings that block, if nothing fits the machine,
    and if the training would take more hours than the budget has.
    """
    kept = KeptReadings()
    try:
        run_stages(store, log, Stage.SPLIT, stop, kept=kept)
    except GateClosed:
        if kept.model is not None and store.has(artifacts.AUDIT):
            _write_catalogue(kept.model, with_rows=False)
        raise
    model = kept.model
    if model is None:
        return
    _write_catalogue(model, with_rows=True)
    if model.run.case.task is not None:
        _write_plan(model, measures=measures)


def _write_catalogue(model: ModelContext, *, with_rows: bool) -> None:
    run = model.run
    with working(run.log, Work.COUNTING):
        with large_imports():
            # Imports peft, which takes seconds.
            from tuneproof.engine.methods.parameters import build_catalogue

        found = build_catalogue(model.base, make_plans(run.case.training), run.case.training)
        if with_rows:
            found.length, found.rows_by_length = model.rows.length_facts(), model.rows.rows_by_length()
    run.store.write(artifacts.CATALOGUE, found.as_text())


def _write_plan(model: ModelContext, *, measures: bool) -> None:
    # Imports torch, as the base does; a look at the rows alone does not.
    from tuneproof.engine.stages.plan_training import Measuring, method_facts, planner_for

    run, measuring = model.run, Measuring.ALWAYS if measures else Measuring.NEVER
    chosen, planned = planner_for(run, model, run.case.method, run.case.training, measuring=measuring).settle()
    facts = method_facts(chosen, run.case.training, planned, skipped=None, length=model.rows.length_facts())
    run.store.write(artifacts.METHOD, facts.as_text())
