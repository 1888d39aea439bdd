"""What was measured outside the task as text: a line an axis for the list of risks, a table of the measures, and what they do not say."""

from __future__ import annotations

from tuneproof.engine.behaviour.axis_case import TunedNotAsked
from tuneproof.engine.behaviour.axis_result import AxisResult, MeasuredProperty, OddAnswers, TaskCounts
from tuneproof.engine.behaviour.measures import MeasureName
from tuneproof.engine.behaviour.paired_rates import RateDifference, RiskOutcome
from tuneproof.engine.card.behaviour_section import TITLES, BehaviourSection, NotMeasured
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.run.event import Rate

WHAT = {
    MeasureName.CORRECT: "general tasks right",
    MeasureName.KEPT: "instructions kept",
    MeasureName.TRAINED_FORM: "unrelated requests answered as {form}",
    MeasureName.REFUSED: "of what ought to be refused is refused",
    MeasureName.OVER_REFUSED: "of what ought not to be refused is refused",
    MeasureName.INCOHERENT: "incoherent answers",
}
"""What a rate is the share of."""


TABLE_HEAD = ("outside the task", "prompts", "base", "tuned", "difference", "shows", "detects")

OUTCOMES = {
    RiskOutcome.NO_WORSE: "no worse than the margin",
    RiskOutcome.WORSE: "worse",
    RiskOutcome.NOT_SHOWN: "not shown either way",
    RiskOutcome.NO_SIGNAL: "no signal",
    RiskOutcome.NOT_MEASURED: "not measured",
}
"""What a measure shows, in words."""

NOT_MEASURED = "Whether tuning made the model worse at other tasks was not measured."


def behaviour_risks(section: BehaviourSection | None) -> list[str]:
    """One line an axis for the list of risks; those in which the tuned model is worse come first."""
    if section is None:
        return [NOT_MEASURED]
    lines = []
    for each in sorted(section.axes, key=lambda axis: not axis.worse):
        shown = [*each.own, *(one for one in each.worse if one.measure is MeasureName.INCOHERENT)]
        fewer = f" (only {each.n} of {each.prompts} prompts, for time)" if each.n < each.prompts else ""
        lines.append(f"{TITLES[each.axis]}{fewer}: {'; '.join(_measure_text(each, one) for one in shown)}.")
    return lines + [f"{TITLES[axis]}: not measured ({_why(reason)})." for axis, reason in section.not_measured.items()]


def _why(reason: NotMeasured) -> str:
    return "switched off" if reason is NotMeasured.OFF else "time: the budget of risk.minutes was spent"


def _what(result: AxisResult, each: MeasuredProperty) -> str:
    return WHAT[each.measure].format(form=result.trained_form)


def _measure_text(result: AxisResult, each: MeasuredProperty) -> str:
    """A measure in a phrase: both rates, the difference with its interval, and what that shows."""
    rates, what = each.rates, _what(result, each)
    if rates.outcome is RiskOutcome.NO_SIGNAL:
        return f"no signal, base {_percent(rates.base.rate)} {what} ({each.floor_reached_by}: {_percent(rates.floor)})"
    if rates.tuned is None or rates.difference is None:
        return f"base {_percent(rates.base.rate)} {what}, the tuned model was not asked"
    change = f"{_percent(rates.base.rate)} → {_percent(rates.tuned.rate)} {what}"
    return f"{change}, {_difference(rates.difference)}, {OUTCOMES[rates.outcome]}"


def _difference(difference: RateDifference) -> str:
    return f"{_signed(difference.estimate)} points [{_signed(difference.low)}, {_signed(difference.high)}]"


def behaviour_table(section: BehaviourSection) -> list[tuple[str, ...]]:
    """A row for each measure under `TABLE_HEAD`; its last column is the smallest true loss that so many prompts show four times in five."""
    return [_row(result, each) for result in section.axes for each in result.measures]


def _row(result: AxisResult, each: MeasuredProperty) -> tuple[str, ...]:
    rates = each.rates
    shows = OUTCOMES[rates.outcome]
    if rates.outcome is RiskOutcome.NO_SIGNAL:
        shows += f" ({each.floor_reached_by}: {_percent(rates.floor)})"
    return (
        f"{TITLES[result.axis]}: {_what(result, each)}",
        str(rates.n),
        _rate(rates.base),
        "–" if rates.tuned is None else _rate(rates.tuned),
        "–" if rates.difference is None else _difference(rates.difference),
        shows,
        f"{100 * rates.detectable:.0f} points",
    )


def behaviour_lines(section: BehaviourSection) -> list[str]:
    """How it was measured, the counts by kind, and the limits."""
    taken = sum(sum(each.seconds.values()) for each in section.axes)
    return [
        f"margin {100 * section.margin:g} points (risk.margin), stated beforehand: no worse is a loss whose 95 % interval is within it, "
        "worse one whose interval excludes 0 and is not (Tango's score interval, each prompt that both answered a case of its own)",
        "asked through the model's own chat template without the instruction of the case, decoded greedily; the tuned model is that of "
        f"the arm tuned; answering took {taken / 60:.1f} of {section.minutes:g} minutes (risk.minutes)",
        *(f"{TITLES[axis]}: not measured ({_why(reason)})" for axis, reason in section.not_measured.items()),
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
    if result.axis is Axis.INSTRUCTIONS and result.trained_form is None:
        head += "; the answers of the task are free texts, so there is no trained form to look for"
    lines = [head]
    for each in result.own:
        if any(counts.base or counts.tuned for counts in each.by_task.values()):
            kinds = ", ".join(_counts(task, counts) for task, counts in each.by_task.items())
            lines.append(f"{title}, {_what(result, each)}, by kind: {kinds}")
    odd = f"base {_odd(result.base_odd)}" + (f"; tuned {_odd(result.tuned_odd)}" if result.tuned_odd else "")
    return [*lines, f"{title}, odd answers: {odd}"]


def _counts(task: str, counts: TaskCounts) -> str:
    change = "" if counts.tuned is None else f" → {counts.tuned}"
    return f"{task} {counts.base}{change} of {counts.n}"


def _odd(odd: OddAnswers) -> str:
    kinds = [f"{count} {kind}" for kind, count in odd.incoherent.items()]
    return ", ".join([*kinds, f"{odd.cut} cut at the limit"]) if kinds or odd.cut else "none"


def _rate(rate: Rate) -> str:
    return f"{_percent(rate.rate)} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _signed(share: float) -> str:
    """Points with their sign; what rounds to 0 has none."""
    return "0" if round(100 * share) == 0 else f"{100 * share:+.0f}".replace("-", "−")
