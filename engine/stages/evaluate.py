"""Stage 7: the tuned arms on the same frozen cases, and the models trained besides the tuned one that the case asks for.

Needs the adapter, the frozen parts and the base model. Writes the files under `arms/`, `behaviour`, `training/merged`,
`training/compared`, `training/curve` and `training/seeds`.
"""

from __future__ import annotations

from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run import artifacts
from tuneproof.engine.stages.judge_check import judge_tuned_arm
from tuneproof.engine.stages.learning_curve import measure_learning_curve
from tuneproof.engine.stages.merged_model import measure_merged_model
from tuneproof.engine.stages.method import settled_plan, stored_method
from tuneproof.engine.stages.method_comparison import compare_methods
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.risk import measure_risk
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.seeds import measure_seeds


def evaluate_tuned(run: RunContext, model: ModelContext) -> bool:
    """Scores the tuned arms and what else the case asks for, and returns whether all of it was done before."""
    if stored_method(run.store).skipped is not None:
        return False
    adapter = run.store.path / artifacts.TRAINED
    reused = [model.scorer.score(arm, adapter) for arm in TUNED_ARMS.values() if arm.is_requested(run.case)]
    model.scorer.write_failures()
    plan, wanted = settled_plan(run), run.case.evaluate
    if wanted.merged and METHODS[plan.method].supports(Ability.MERGE):
        reused.append(measure_merged_model(run, model))
    if wanted.compare:
        reused.append(compare_methods(run, model, plan))
    if wanted.seeds > 1:
        reused.append(measure_seeds(run, model, plan))
    if wanted.learning_curve:
        reused.append(measure_learning_curve(run, model, plan))
    reused.append(judge_tuned_arm(run, model))
    reused.append(measure_risk(run, model))
    return all(reused)
