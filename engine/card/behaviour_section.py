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
from tuneproof.engine.behaviour.axis_result import AxisResult, MeasuredProperty, OddAnswers, TaskCounts, result_of
from tuneproof.engine.behaviour.measures import MeasureName
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

WHAT = {
    MeasureName.CORRECT: "general tasks right",
    MeasureName.KEPT: "instructions kept",
    MeasureName.TRAINED_FORM: "unrelated requests answered as {form}",
    MeasureName.REFUSED: "of what ought to be refused is refused",
    MeasureName.OVER_REFUSED: "of what ought not to be refused is refused",
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
    lines = []
    for each in section.axes:
        shown = [*each.own, *(one for one in each.worse if one.measure is MeasureName.INCOHERENT)]
        fewer = f" (only {each.n} of {each.prompts} prompts, for time)" if each.n < each.prompts else ""
        lines.append(f"{TITLES[each.axis]}{fewer}: {'; '.join(_measure_text(each, one) for one in shown)}.")
    return lines + [f"{TITLES[axis]}: not measured ({_why(reason)})." for axis, reason in section.not_measured.items()]


def _why(reason: NotMeasured) -> str:
    return "switched off" if reason is NotMeasured.OFF else "time: the budget of risk.minutes was spent"


def _what(result: AxisResult, each: MeasuredProperty) -> str:
    return WHAT[each.measure].format(form=result.trained_form)


def _summary(measured: list[AxisResult], margin: float) -> str:
    if not measured:
        return "Nothing was measured of what tuning did outside the task."
    worse = [each for each in measured if each.worse]
    if worse:
        return f"Outside the task the tuned model is worse: {', '.join(TITLES[each.axis].lower() for each in worse)}."
    unclear = [TITLES[each.axis].lower() for each in measured if any(one.rates.outcome is not RiskOutcome.NO_WORSE for one in each.own)]
    rest = f"; not everything could be shown for {' and '.join(unclear)}" if unclear else ""
    return f"Outside the task no loss was shown that may be more than {100 * margin:g} points{rest}."


def _measure_text(result: AxisResult, each: MeasuredProperty) -> str:
    """A measure in a phrase: both rates, the difference with its interval, and what that shows."""
    rates, what = each.rates, _what(result, each)
    if rates.outcome is RiskOutcome.NO_SIGNAL:
        return f"no signal, base {_percent(rates.base.rate)} {what} ({each.floor_reached_by}: {_percent(rates.floor)})"
    if rates.tuned is None or rates.difference is None:
        return f"base {_percent(rates.base.rate)} {what}, the tuned model was not asked"
    points = [100 * value for value in (rates.difference.estimate, rates.difference.low, rates.difference.high)]
    change = f"{_signed(points[0])} points [{_signed(points[1])}, {_signed(points[2])}]"
    return f"{_percent(rates.base.rate)} → {_percent(rates.tuned.rate)} {what}, {change}, {OUTCOMES[rates.outcome]}"


OUTCOMES = {
    RiskOutcome.NO_WORSE: "no worse than the margin",
    RiskOutcome.WORSE: "worse",
    RiskOutcome.NOT_SHOWN: "not shown either way",
}
"""What a difference shows, in words."""


def behaviour_lines(section: BehaviourSection) -> list[str]:
    """The figures behind the lines, and their limits."""
    taken = sum(sum(each.seconds.values()) for each in section.axes)
    return [
        f"margin {100 * section.margin:g} points (risk.margin), stated beforehand: no worse is a loss whose 95 % interval is within it, "
        "worse one whose interval excludes 0 and is not (Tango's score interval, on the prompts that both answered)",
        "asked through the model's own chat template without the instruction of the case, decoded greedily; the tuned model is that of "
        f"the arm tuned; answering took {taken / 60:.1f} of {section.minutes:g} minutes (risk.minutes)",
        *(line for each in section.axes for line in _axis_lines(each)),
    ]


def _axis_lines(result: AxisResult) -> list[str]:
    title = TITLES[result.axis]
    head = f"{title}: {result.n} of {result.prompts} prompts" + (", for time" if result.n < result.prompts else "")
    head += f" (version {result.version}, sha256 {result.sha256[:12]}…), answers of at most {result.max_new_tokens} tokens"
    if result.tuned_not_asked is TunedNotAsked.FLOOR:
        head += "; the base is at its floor, so the tuned model was not asked"
    if result.axis is Axis.SAFETY:
        head += "; refused is what begins with a phrase of refusal: whether an answer does harm is not read"
    lines = [head]
    for each in result.measures:
        lines.append(f"{title}, {_measure_text(result, each)}. {_power(each)}")
        if each.measure is not MeasureName.INCOHERENT and any(counts.base or counts.tuned for counts in each.by_task.values()):
            lines.append(f"{title}, by kind: {', '.join(_counts(task, counts) for task, counts in each.by_task.items())}")
    odd = f"base {_odd(result.base_odd)}" + (f"; tuned {_odd(result.tuned_odd)}" if result.tuned_odd else "")
    return [*lines, f"{title}, odd answers: {odd}"]


def _counts(task: str, counts: TaskCounts) -> str:
    change = "" if counts.tuned is None else f" → {counts.tuned}"
    return f"{task} {counts.base}{change} of {counts.n}"


def _power(each: MeasuredProperty) -> str:
    return f"{each.rates.n} prompts show a true loss of {100 * each.rates.detectable:.0f} points four times in five"


def _odd(odd: OddAnswers) -> str:
    kinds = [f"{count} {kind}" for kind, count in odd.incoherent.items()]
    return ", ".join([*kinds, f"{odd.cut} cut at the limit"]) if kinds or odd.cut else "none"


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _signed(points: float) -> str:
    """Points with their sign; what rounds to 0 has none."""
    return "0" if round(points) == 0 else f"{points:+.0f}".replace("-", "−")
