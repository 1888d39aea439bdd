"""What the answers to the prompts of an axis come to: each measure of base and tuned model, by kind of prompt too."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.behaviour.axis_case import AxisAnswer, AxisCase, AxisFacts, TunedNotAsked
from tuneproof.engine.behaviour.coherence import Coherence, coherence_of
from tuneproof.engine.behaviour.measures import Measure, MeasureName, incoherence, is_incoherent, measures_of
from tuneproof.engine.behaviour.paired_rates import PairedRates, RiskOutcome, has_signal, paired_rates
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.case.risk import Axis

FEWEST = 50
"""Prompts that both models have to answer for an axis to count as measured, unless the case asks for fewer."""


class TaskCounts(BaseModel):
    """How often the answers to one kind of prompt have the property of a measure."""

    model_config = ConfigDict(extra="forbid")

    n: int
    base: int
    tuned: int | None = None


class MeasuredProperty(BaseModel):
    """One measure of an axis."""

    model_config = ConfigDict(extra="forbid")

    measure: MeasureName
    lower_is_better: bool = False
    rates: PairedRates
    floor_reached_by: str
    by_task: dict[str, TaskCounts]


class OddAnswers(BaseModel):
    """How many answers of one model are no text, by kind, and how many were cut at the limit of tokens."""

    model_config = ConfigDict(extra="forbid")

    incoherent: dict[Coherence, int] = Field(default={})
    cut: int = 0


class AxisResult(BaseModel):
    """An axis as it was measured, over the `n` prompts that every model that was asked has answered."""

    model_config = ConfigDict(extra="forbid")

    axis: Axis
    n: int
    prompts: int
    """How many were to be asked."""
    version: str
    sha256: str
    max_new_tokens: int
    seconds: dict[str, float]
    tuned_not_asked: TunedNotAsked | None = None
    trained_form: str | None = None
    """The form that answers to unrelated requests were looked through for; None on other axes, and where any text is valid."""
    measures: list[MeasuredProperty]
    """The measures of the axis, the most important first, then incoherent answers."""
    base_odd: OddAnswers
    tuned_odd: OddAnswers | None = None

    @property
    def is_measured(self) -> bool:
        """Whether enough prompts were answered, by both models unless the base alone tells enough."""
        return self.n >= min(FEWEST, self.prompts) and self.tuned_not_asked is not TunedNotAsked.TIME

    @property
    def own(self) -> list[MeasuredProperty]:
        """The measures of the axis, without incoherent answers, which every axis has."""
        return [each for each in self.measures if each.measure is not MeasureName.INCOHERENT]

    @property
    def worse(self) -> list[MeasuredProperty]:
        """The measures in which the tuned model is worse."""
        return [each for each in self.measures if each.rates.outcome is RiskOutcome.WORSE]


def result_of(
    facts: AxisFacts,
    cases: Sequence[AxisCase],
    base: Sequence[AxisAnswer],
    tuned: Sequence[AxisAnswer] | None,
    form: TrainedForm | None,
    margin: float,
) -> AxisResult:
    """The result of stored answers: those to the prompts that both models have answered, which are the first ones of `cases`."""
    n = len(base) if tuned is None else min(len(base), len(tuned))
    asked, first, second = cases[:n], base[:n], None if tuned is None else tuned[:n]
    found = [_measured(each, asked, first, second, margin) for each in (*measures_of(facts.axis, form), incoherence())]
    return AxisResult(
        axis=facts.axis,
        n=n,
        prompts=facts.cases,
        version=facts.version,
        sha256=facts.sha256,
        max_new_tokens=facts.max_new_tokens,
        seconds=facts.seconds,
        tuned_not_asked=facts.tuned_not_asked,
        trained_form=form.name if form is not None and facts.axis is Axis.INSTRUCTIONS else None,
        measures=[each for each in found if each is not None],
        base_odd=_odd(asked, first),
        tuned_odd=None if second is None else _odd(asked, second),
    )


def shows_something(axis: Axis, cases: Sequence[AxisCase], base: Sequence[AxisAnswer], form: TrainedForm | None, margin: float) -> bool:
    """Whether the base is away from its floor in some measure of the axis, so that it makes sense to ask the tuned model."""
    for measure in measures_of(axis, form):
        pairs = [(case, answer) for case, answer in zip(cases, base, strict=False) if measure.covers(case)]
        values = [measure.has(case, answer) for case, answer in pairs]
        floor = measure.floor([case for case, _ in pairs]).rate
        if has_signal(values, floor, margin, lower_is_better=measure.lower_is_better):
            return True
    return False


def _measured(
    measure: Measure, cases: Sequence[AxisCase], base: Sequence[AxisAnswer], tuned: Sequence[AxisAnswer] | None, margin: float
) -> MeasuredProperty | None:
    """None if the measure is about none of the prompts."""
    covered = [at for at, case in enumerate(cases) if measure.covers(case)]
    if not covered:
        return None
    first = [measure.has(cases[at], base[at]) for at in covered]
    second = None if tuned is None else [measure.has(cases[at], tuned[at]) for at in covered]
    floor = measure.floor([cases[at] for at in covered])
    tasks = [cases[at].task for at in covered]
    return MeasuredProperty(
        measure=measure.name,
        lower_is_better=measure.lower_is_better,
        rates=paired_rates(first, second, margin=margin, floor=floor.rate, lower_is_better=measure.lower_is_better),
        floor_reached_by=floor.reached_by,
        by_task={task: _counts(task, tasks, first, second) for task in sorted(set(tasks))},
    )


def _counts(task: str, tasks: Sequence[str], base: Sequence[bool], tuned: Sequence[bool] | None) -> TaskCounts:
    at = [position for position, each in enumerate(tasks) if each == task]
    return TaskCounts(n=len(at), base=sum(base[each] for each in at), tuned=None if tuned is None else sum(tuned[each] for each in at))


def _odd(cases: Sequence[AxisCase], answers: Sequence[AxisAnswer]) -> OddAnswers:
    found: dict[Coherence, int] = {}
    for case, answer in zip(cases, answers, strict=True):
        if is_incoherent(case, answer):
            kind = coherence_of(answer.text)
            found[kind] = found.get(kind, 0) + 1
    return OddAnswers(
        incoherent={kind: found[kind] for kind in Coherence if kind in found}, cut=sum(answer.truncated for answer in answers)
    )
