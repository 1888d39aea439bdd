"""What tuning did besides the task: each part that the case asks for, within one time budget. Only the worker imports this.

A part that takes less than its share leaves the rest to those after it.
"""

from __future__ import annotations

from tuneproof.engine.behaviour.time_taken import seconds_taken
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.stages.behaviour import measure_behaviour
from tuneproof.engine.stages.drift import measure_drift
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.overfitting import measure_overfitting
from tuneproof.engine.stages.run_context import RunContext


def measure_risk(run: RunContext, model: ModelContext) -> bool:
    """Measures what the case asks for, and returns whether all of it was measured before."""
    risk = run.case.risk
    if risk.minutes == 0:
        return True
    axes, overfits, drifts = sum(map(risk.measures, Axis)), risk.overfitting, risk.drift
    of_axes = axes / max(1, axes + overfits + drifts)
    reused = [measure_behaviour(run, model, of_axes * 60 * risk.minutes)]
    if overfits:
        reused.append(measure_overfitting(run, model, _left(run) / (1 + drifts)))
    if drifts:
        reused.append(measure_drift(run, model, _left(run)))
    return all(reused)


def _left(run: RunContext) -> float:
    """The seconds of the budget that nothing has taken yet."""
    return max(0.0, 60 * run.case.risk.minutes - seconds_taken(run.store))
