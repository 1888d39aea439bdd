"""Stage 5: how to train, or why not to.

Needs the scored baselines, the catalogue and the base model. Writes `method.json`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuneproof.engine.card.evidence import gather
from tuneproof.engine.card.measured_route import measured_route
from tuneproof.engine.case.route import Route
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.plan import Plan, make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.methods.trained_elsewhere import trained_elsewhere
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.scoring.rule import TargetStatus
from tuneproof.engine.scoring.verdict import target_status
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.oom_fallback import parts_so_far
from tuneproof.engine.stages.plan_training import method_facts, planner_for
from tuneproof.engine.stages.run_context import RunContext

STEP = StepId(StepKind.METHOD)


def plan_method(run: RunContext, model: ModelContext) -> bool:
    """Plans the training, and returns whether that was done before. Raises GateClosed if nothing fits the machine or the budget."""
    case = run.case
    if case.method.trained is not None:
        return _take_method(run, case.method.trained)
    wanted = make_plan(case.method, case.training)
    objections = _objections(run)
    # The plan also rests on the memory that is free now, which is no input: a plan that was settled once is kept when the run continues.
    limits = [case.budget.model_dump(mode="json"), case.evaluate.learning_curve]
    limits += [case.evaluate.seeds] if case.evaluate.seeds > 1 else []
    settings = sha256_data([wanted.requested, limits, objections.skipped, objections.overruled])
    inputs = run.store.inputs([part_file(Part.TRAIN)], {"settings": settings, "base": model.base.sha256})
    if run.store.is_done(STEP, inputs):
        return True
    if objections.skipped is None:
        chosen, planned = planner_for(run, model, case.method, case.training).settle()
    else:
        chosen, planned = wanted, None
    facts = method_facts(
        chosen,
        case.training,
        planned,
        skipped=objections.skipped,
        overruled=objections.overruled,
        length=model.rows.length_facts(),
    )
    run.store.write_step(STEP, inputs, {artifacts.METHOD: facts.as_text()})
    return False


def _take_method(run: RunContext, named: str) -> bool:
    """The method of a model that was trained elsewhere, and returns whether that was stored before. Nothing speaks against measuring it."""
    given = trained_elsewhere(named)
    inputs = run.store.inputs(settings={"trained": given.sha256})
    if run.store.is_done(STEP, inputs):
        return True
    facts = artifacts.MethodFacts(
        name=given.method,
        why="it was trained elsewhere, and is measured as it is",
        trains=METHODS[given.method].trains,
        settings=given.settings,
        skipped=None,
        overruled=[],
    )
    run.store.write_step(STEP, inputs, {artifacts.METHOD: facts.as_text()})
    return False


def stored_method(store: RunStore) -> artifacts.MethodFacts:
    """The plan as this stage stored it."""
    return artifacts.MethodFacts.model_validate_json(store.read(artifacts.METHOD))


def settled_plan(run: RunContext) -> Plan:
    """The plan as this stage settled it, in more parts if memory ran out since."""
    facts = stored_method(run.store)
    settled = make_plan(run.case.method.model_copy(update={"name": facts.name}), run.case.training)
    if facts.planned is None:
        return settled
    return replace(settled, why=facts.why).with_execution(facts.planned, parts_so_far(run.store))


@dataclass(frozen=True)
class Objections:
    """What speaks against a training: the reason why it is skipped, or the reasons that the case overrules."""

    skipped: str | None
    overruled: list[str]


def _objections(run: RunContext) -> Objections:
    """Training is skipped if an untuned arm meets the target, or if the route is another, as measured, unless the case says otherwise."""
    evidence, choice = gather(RunSnapshot(run.store)), run.case.method
    found: list[tuple[str, bool, str]] = []
    status = target_status(evidence.measure, evidence.untuned) if evidence.measure else {}
    shown = [arm for arm, each in status.items() if each is TargetStatus.SHOWN]
    if shown:
        found.append((f"{shown[0]} is shown to meet the target", choice.even_if_met, "method.even_if_met"))
    measured = next((arm for arm, each in status.items() if each is TargetStatus.MEASURED), None)
    if not shown and measured is not None and choice.enough_as_measured:
        reason = f"{measured} meets the target as measured, which the case takes as enough"
        return Objections(f"{reason}; to train all the same, set method.enough_as_measured: false", [])
    route = measured_route(evidence).route
    if route is not Route.FINE_TUNING:
        key = "method.even_if_routed_elsewhere"
        found.append((f"the route is `{route}`", choice.even_if_routed_elsewhere, key))
    standing = [f"{reason}; to train anyway, set {key}: true" for reason, overruled, key in found if not overruled]
    return Objections(standing[0] if standing else None, [reason for reason, overruled, _ in found if overruled])
