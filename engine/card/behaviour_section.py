"""The part of the section Risk that was measured: base and tuned model on the same prompts outside the task."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.behaviour.axis_case import (
    AskedModel,
    AxisFacts,
    answers_file,
    cases_file,
    facts_file,
    read_answers,
    read_cases,
)
from tuneproof.engine.behaviour.axis_result import AxisResult, result_of
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore


class NotMeasured(StrEnum):
    """Why an axis was not measured."""

    OFF = "off"
    """The case switches it off."""
    TIME = "time"
    """The time budget did not reach."""


class BehaviourSection(BaseModel):
    """What was measured outside the task, by axis, and what was not."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    margin: float
    minutes: float
    """The time budget of all axes together."""
    axes: list[AxisResult]
    not_measured: dict[Axis, NotMeasured] = {}


TITLES = {Axis.FORGETTING: "Forgetting", Axis.INSTRUCTIONS: "Instruction-following", Axis.SAFETY: "Safety"}


def behaviour_section(store: RunStore, form: TrainedForm | None) -> BehaviourSection | None:
    """The section, made from the stored answers; None if the run has measured no axis."""
    done, risk = set(store.manifest.names(StepKind.BEHAVIOUR)), store.case.risk
    if not done:
        return None
    found = [stored_result(store, axis, form, risk.margin) for axis in Axis if axis in done]
    measured = [each for each in found if each.is_measured]
    not_measured = {each.axis: NotMeasured.TIME for each in found if not each.is_measured}
    not_measured |= {axis: NotMeasured.OFF for axis in Axis if axis not in done}
    return BehaviourSection(
        summary=_summary(measured, risk.margin),
        margin=risk.margin,
        minutes=risk.minutes,
        axes=measured,
        not_measured={axis: not_measured[axis] for axis in Axis if axis in not_measured},
    )


def stored_result(store: RunStore, axis: Axis, form: TrainedForm | None, margin: float) -> AxisResult:
    """The result of an axis whose answers are stored."""
    files = store.manifest.steps[StepId(StepKind.BEHAVIOUR, axis)].files
    tuned = answers_file(axis, AskedModel.TUNED)
    return result_of(
        AxisFacts.model_validate_json(store.read(facts_file(axis))),
        read_cases(store.read(cases_file(axis))),
        read_answers(store.read(answers_file(axis, AskedModel.BASE))),
        read_answers(store.read(tuned)) if tuned in files else None,
        form,
        margin,
    )


def _summary(measured: list[AxisResult], margin: float) -> str:
    if not measured:
        return "Nothing was measured of what tuning did outside the task."
    worse = [each for each in measured if each.worse]
    if worse:
        return f"Outside the task the tuned model is worse: {', '.join(TITLES[each.axis].lower() for each in worse)}."
    unclear = [TITLES[each.axis].lower() for each in measured if any(one.rates.outcome is not RiskOutcome.NO_WORSE for one in each.own)]
    rest = f"; not everything could be shown for {' and '.join(unclear)}" if unclear else ""
    return f"Outside the task no loss was shown that may be more than {100 * margin:g} points{rest}."
