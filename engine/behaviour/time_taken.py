"""What measuring what tuning did besides the task has taken of its time."""

from __future__ import annotations

from tuneproof.engine.behaviour import drift, overfitting
from tuneproof.engine.behaviour.axis_case import AxisFacts, facts_file
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore


def seconds_taken(store: RunStore) -> float:
    """The seconds of all parts that a run has measured, as they are stored."""
    axes = [AxisFacts.model_validate_json(store.read(facts_file(Axis(name)))) for name in store.manifest.names(StepKind.BEHAVIOUR)]
    taken = sum(sum(each.seconds.values()) for each in axes)
    if StepId(StepKind.OVERFITTING) in store.manifest.steps:
        taken += sum(overfitting.OverfittingFacts.model_validate_json(store.read(overfitting.FACTS)).seconds.values())
    if StepId(StepKind.DRIFT) in store.manifest.steps:
        taken += drift.DriftFacts.model_validate_json(store.read(drift.FACTS)).seconds
    return taken
