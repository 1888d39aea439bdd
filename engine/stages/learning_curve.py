"""Measuring the learning curve: the same plan on nested shares of train, each scored as the tuned arm is. Only the worker imports this."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tuneproof.engine.data.example import Example
from tuneproof.engine.data.subsets import SHARES, nested_subsets
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.variants import CURVE
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.train_variant import log_scored, score_variant, train_variant


def measure_learning_curve(run: RunContext, model: ModelContext, plan: Plan) -> bool:
    """Trains and scores each share that train can be cut into, and returns whether all was done before."""
    data = run.case.data
    assert data is not None
    train = [example for _, example in model.rows.train]
    subsets = nested_subsets(train, data.split.seed, data.split.group_by)
    missing = [f"{share} %" for share in SHARES if share not in subsets]
    if missing:
        run.log.emit(Warned(message=f"no learning curve at {' and '.join(missing)} of train: train cannot be cut there"))
    reused = [_measure_point(run, model, share, rows, plan_for_share(plan, share)) for share, rows in subsets.items()]
    return all(reused)


def _measure_point(run: RunContext, model: ModelContext, share: int, rows: Sequence[Example], plan: Plan) -> bool:
    point = CURVE[share]
    trained = train_variant(run, model, point, rows, plan)
    reused = score_variant(run, model, point) and trained
    log_scored(run, model, point, reused=reused)
    return reused


def plan_for_share(plan: Plan, share: int) -> Plan:
    """The plan with the same number of epochs on a share of the rows, and about as many probes to choose a step from."""
    part = share / 100
    return replace(
        plan,
        max_steps=plan.max_steps and max(1, math.ceil(plan.max_steps * part)),
        probe_every=plan.probe_every and max(1, math.ceil(plan.probe_every * part)),
    )
