"""Training again with other seeds, so that the interval of the verdict covers the luck of training. Only the worker imports this."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.variants import seed_variant
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.train_variant import log_scored, score_variant, train_variant


def measure_seeds(run: RunContext, model: ModelContext, plan: Plan) -> bool:
    """Trains and scores the plan with each further seed, and returns whether all was done before.

    The seed decides the order of the rows and how the adapter begins; rows, steps and settings are those of the tuned model.
    """
    reused = [_measure_seed(run, model, plan, number) for number in range(2, run.case.evaluate.seeds + 1)]
    return all(reused)


def _measure_seed(run: RunContext, model: ModelContext, plan: Plan, number: int) -> bool:
    variant = seed_variant(number)
    trained = train_variant(run, model, variant, model.rows.within_limit, replace(plan, seed=plan.seed + number - 1))
    reused = score_variant(run, model, variant) and trained
    log_scored(run, model, variant, reused=reused)
    return reused
