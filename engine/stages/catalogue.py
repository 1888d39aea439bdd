"""The catalogue of methods: what each would train of this base with the settings of the case. Writes `catalogue.json`.

It is shown in the wizard and is no evidence, so it is simply written again when the settings are others.
"""

from __future__ import annotations

from dataclasses import asdict

from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.methods.plan import make_plans
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext

STEP = StepId(StepKind.CATALOGUE)


def write_catalogue(run: RunContext, model: ModelContext) -> None:
    """Writes the catalogue, unless it is there for the same settings."""
    every = make_plans(run.case.training)
    methods = sha256_data([[asdict(METHODS[each.method]), each.requested] for each in every])
    inputs = run.store.inputs(settings={"base": model.base.sha256, "methods": methods})
    record = run.store.manifest.steps.get(STEP)
    if record is not None and record.inputs == inputs:
        run.store.check(artifacts.CATALOGUE)
        return
    with working(run.log, Work.COUNTING):
        with large_imports():
            # Imports peft, which takes seconds.
            from tuneproof.engine.methods.parameters import build_catalogue

        found = build_catalogue(model.base, every, run.case.training)
        found.length, found.rows_by_length = model.rows.length_facts(), model.rows.rows_by_length()
    run.store.write_step(STEP, inputs, {artifacts.CATALOGUE: found.as_text()})


def stored_catalogue(run: RunContext) -> artifacts.Catalogue:
    """The catalogue as it was written."""
    return artifacts.Catalogue.model_validate_json(run.store.read(artifacts.CATALOGUE))


def trained_parameters(run: RunContext) -> dict[str, int]:
    """How many parameters each method would train, by its name, for the methods where that is known."""
    entries = stored_catalogue(run).methods
    return {entry.name: entry.trained_parameters for entry in entries if entry.trained_parameters is not None}
