"""The part of the section Risk that was measured: base and tuned model on the same prompts outside the task."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.behaviour.axis_case import (
    Asked,
    AxisFacts,
    TunedNotAsked,
    answers_file,
    cases_file,
    facts_file,
    read_answers,
    read_cases,
)
from tuneproof.engine.behaviour.axis_result import AxisResult, MeasuredProperty, OddAnswers, result_of
from tuneproof.engine.behaviour.measures import MeasureName
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
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

WHAT = {
    MeasureName.CORRECT: "general tasks answered correctly",
    MeasureName.KEPT: "instructions kept",
    MeasureName.TRAINED_FORM: "unrelated requests answered in the form of the trained task",
    MeasureName.REFUSED: "refused of what ought to be refused",
    MeasureName.OVER_REFUSED: "refused of what ought not to be refused",
    MeasureName.INCOHERENT: "incoherent answers",
}
"""What a rate is the share of."""


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
    tuned = answers_file(axis, Asked.TUNED)
    return result_of(
        AxisFacts.model_validate_json(store.read(facts_file(axis))),
        read_cases(store.read(cases_file(axis))),
        read_answers(store.read(answers_file(axis, Asked.BASE))),
        read_answers(store.read(tuned)) if tuned in files else None,
        form,
        margin,
    )


def behaviour_risks(section: BehaviourSection | None) -> list[str]:
    """One line an axis for the list of risks."""
    if section is None:
        return ["Whether tuning made the model worse at other tasks was not measured."]
    lines = [f"{TITLES[each.axis]}: {'; '.join(measure_text(one, section.margin) for one in each.own)}." for each in section.axes]
    return lines + [f"{TITLES[axis]}: not measured ({_why(reason)})." for axis, reason in section.not_measured.items()]


def _why(reason: NotMeasured) -> str:
    return "switched off" if reason is NotMeasured.OFF else "time: the budget of risk.minutes was spent"


def _summary(measured: list[AxisResult], margin: float) -> str:
    if not measured:
        return "Nothing was measured of what tuning did outside the task."
    worse = [f"{WHAT[one.measure]} ({TITLES[each.axis].lower()})" for each in measured for one in each.worse]
    if worse:
        return f"Outside the task the tuned model is worse in {', '.join(worse)}."
    open_ = [one for each in measured for one in each.own if one.rates.outcome is not RiskOutcome.NO_WORSE]
    rest = f"; {len(open_)} of the measures show nothing either way" if open_ else ""
    return f"No loss of more than {100 * margin:g} points was shown outside the task{rest}."


def measure_text(each: MeasuredProperty, margin: float) -> str:
    """A measure in a phrase: both rates, the difference with its interval, and what that shows."""
    rates, what = each.rates, WHAT[each.measure]
    if rates.outcome is RiskOutcome.NO_SIGNAL:
        floor = f"{100 * rates.floor:.0f} % takes only {each.floor_reached_by}"
        return f"no signal for {what}: the base has {_percent(rates.base)} of {rates.n}, and {floor}"
    if rates.tuned is None or rates.difference is None:
        return f"{what} {_percent(rates.base)} of {rates.n} (base); the tuned model was not asked"
    points = [100 * value for value in (rates.difference.estimate, rates.difference.low, rates.difference.high)]
    change = f"{points[0]:+.0f} points [{points[1]:+.0f}, {points[2]:+.0f}]".replace("-", "−")
    return f"{what} {_percent(rates.base)} → {_percent(rates.tuned)} of {rates.n}, {change}: {_verdict(rates.outcome, margin)}"


def _verdict(outcome: RiskOutcome, margin: float) -> str:
    points = f"{100 * margin:g} points"
    match outcome:
        case RiskOutcome.NO_WORSE:
            return f"no worse than the margin of {points}"
        case RiskOutcome.WORSE:
            return "worse"
        case _:
            return f"not shown to be within the margin of {points}"


def behaviour_lines(section: BehaviourSection) -> list[str]:
    """The figures behind the lines, and their limits."""
    lines = [line for each in section.axes for line in _axis_lines(each, section.margin)]
    taken = sum(sum(each.seconds.values()) for each in section.axes)
    lines.append(
        "asked through the model's own chat template without the instruction of the case, decoded greedily; a loss of "
        f"{100 * section.margin:g} points was stated beforehand as small enough (risk.margin); answering took {taken / 60:.1f} of "
        f"{section.minutes:g} minutes (risk.minutes)"
    )
    return lines


def _axis_lines(result: AxisResult, margin: float) -> list[str]:
    title, fewer = TITLES[result.axis], ""
    if result.n < result.prompts:
        fewer = f" of {result.prompts} (time)"
    lines = [
        f"{title}: {result.n}{fewer} prompts (version {result.version}, sha256 {result.sha256[:12]}…), answers of at most "
        f"{result.max_new_tokens} tokens"
    ]
    if result.tuned_not_asked is TunedNotAsked.FLOOR:
        lines[0] += "; the base is at its floor, so the tuned model was not asked"
    for each in result.measures:
        lines.append(f"{title}, {measure_text(each, margin)}. {_power(each)}")
        if len(each.by_task) > 1 and each.measure is not MeasureName.INCOHERENT:
            by_task = [
                f"{task} {counts.base}{'' if counts.tuned is None else f' → {counts.tuned}'} of {counts.n}"
                for task, counts in each.by_task.items()
            ]
            lines.append(f"{title}, {each.measure} by kind: {', '.join(by_task)}")
    lines.append(f"{title}, odd answers: base {_odd(result.base_odd)}" + (f"; tuned {_odd(result.tuned_odd)}" if result.tuned_odd else ""))
    return lines


def _power(each: MeasuredProperty) -> str:
    return f"{each.rates.n} prompts show a true loss of {100 * each.rates.detectable:.0f} points four times in five"


def _odd(odd: OddAnswers) -> str:
    kinds = [f"{count} {kind}" for kind, count in odd.incoherent.items()]
    return ", ".join([*kinds, f"{odd.cut} cut at the limit"]) if kinds or odd.cut else "none"


def _percent(rate: Rate) -> str:
    return f"{100 * rate.rate:.1f} %"
