"""Training other methods on the rows that the tuned model was trained on, and scoring each. Only the worker imports this."""

from __future__ import annotations

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.matched_settings import matched_training
from tuneproof.engine.methods.plan import Plan, check_trainable, make_plan
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.events import TrainingSkipped
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.variants import compared_variant
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.oom_fallback import parts_so_far
from tuneproof.engine.stages.plan_training import method_facts, planner_for
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.train_variant import log_scored, score_variant, train_variant


def compare_methods(run: RunContext, model: ModelContext, tuned: Plan) -> bool:
    """Trains and scores each method that this machine can train, and returns whether all was done before."""
    reused = [_compare(run, model, tuned, other) for other in run.case.evaluate.compare if other.name != tuned.method]
    return all(reused)


def _compare(run: RunContext, model: ModelContext, tuned: Plan, other: MethodToCompare) -> bool:
    variant = compared_variant(other.name)
    training = matched_training(run.case.training, METHODS[tuned.method], METHODS[other.name], other)
    is_planned = _plan_method(run, model, other.name, training)
    facts = artifacts.MethodFacts.model_validate_json(run.store.read(variant.plan))
    if facts.planned is None:
        run.log.emit(TrainingSkipped(model=variant.name, reason=str(facts.skipped)), sync=True)
        return is_planned
    settled = make_plan(MethodChoice(name=other.name), training).with_execution(facts.planned, parts_so_far(run.store))
    trained = train_variant(run, model, variant, model.rows.within_limit, settled)
    reused = score_variant(run, model, variant) and trained
    log_scored(run, model, variant, reused=reused)
    return reused


def _plan_method(run: RunContext, model: ModelContext, name: str, training: Training) -> bool:
    """Plans how the method is trained here, or why it cannot be, and returns whether that was done before."""
    step, choice = StepId(StepKind.COMPARED_METHOD, name), MethodChoice(name=name)
    settled = make_plan(choice, training)
    settings = sha256_data([settled.requested, run.case.budget.model_dump(mode="json")])
    inputs = run.store.inputs([part_file(Part.TRAIN)], {"settings": settings, "base": model.base.sha256})
    if run.store.is_done(step, inputs):
        return True
    planned, skipped = None, unavailable_reason(METHODS[name])
    if skipped is None:
        try:
            check_trainable(choice, training)
            settled, planned = planner_for(run, model, choice, training, variant=compared_variant(name).folder).settle()
        except GateClosed as error:
            skipped = error.what
    facts = method_facts(settled, training, planned, skipped=skipped)
    run.store.write_step(step, inputs, {compared_variant(name).plan: facts.as_text()})
    return False
