"""The part of the section Risk about style: what base and tuned model write when they are asked for something else than the task."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.behaviour.drift import (
    ANSWERS,
    FACTS,
    FEWEST,
    MOST_INCOHERENT,
    DriftFacts,
    DriftResult,
    StyleChange,
    StyleName,
    drift_of,
    read_pairs,
)
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.behaviour.style import words_of
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.overfitting_section import change_text
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.data.split import Part
from tuneproof.engine.run.step_id import StepId, StepKind

STEP = StepId(StepKind.DRIFT)

WHAT = {
    StyleName.LENGTH: "words an answer",
    StyleName.TOKENS: "tokens an answer",
    StyleName.VOCABULARY: "distinct words among the first 20",
    StyleName.TASK_WORDS: "words that train answers have",
    StyleName.REPETITION: "pairs of words that repeat",
    StyleName.LOOPS: "answers that loop",
    StyleName.UNLIKELY_TO_BASE: "perplexity of the tuned model's answers under the base, against the base's own",
    StyleName.UNLIKELY_TO_TUNED: "perplexity of the base's answers under the tuned model, against the base",
}
"""What a figure is of."""


TABLE_HEAD = ("style of general answers", "requests", "base", "tuned", "change", "shows")


class DriftSection(BaseModel):
    """What was compared, against the margins of the case."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    margin: float
    """For shares."""
    ratio_margin: float
    """For lengths and perplexities, relative."""
    result: DriftResult


def drift_section(evidence: Evidence) -> DriftSection | None:
    """The section, computed from the stored answers and likelihoods; None if it was not measured."""
    store, risk = evidence.store, evidence.case.risk
    if STEP not in store.manifest.steps or evidence.parts is None:
        return None
    words = {word for example in evidence.parts[Part.TRAIN] for word in words_of(example.output)}
    facts = DriftFacts.model_validate_json(store.read(FACTS))
    result = drift_of(facts, read_pairs(store.read(ANSWERS)), words, risk.margin, risk.drift_margin)
    return DriftSection(summary=_summary(result), margin=risk.margin, ratio_margin=risk.drift_margin, result=result)


def _summary(result: DriftResult) -> str:
    if result.n < FEWEST:
        return "Style was not compared: too few requests were answered in time."
    if all(each.outcome is RiskOutcome.NO_SIGNAL for each in result.changes):
        return "Style shows no signal: the base's answers are no text."
    names = [each.name for each in result.drifted]
    return f"The style of general answers changed: {', '.join(names)}." if names else "No change of style beyond the margins was shown."


def drift_risks(section: DriftSection | None, *, switched_off: bool) -> list[str]:
    """The lines for the list of risks."""
    if section is None:
        return [f"Style drift: not measured{' (switched off)' if switched_off else ''}."]
    result = section.result
    if result.n < FEWEST:
        return ["Style drift: not measured (time: the budget of risk.minutes was spent)."]
    if all(each.outcome is RiskOutcome.NO_SIGNAL for each in result.changes):
        return [f"Style drift: no signal: {result.incoherent} of {result.n} answers of the base are no text."]
    shown = result.drifted or [each for each in result.changes if each.name in (StyleName.LENGTH, StyleName.UNLIKELY_TO_TUNED)]
    return [f"Style drift: {'; '.join(style_text(each, section) for each in shown)}."]


def style_text(each: StyleChange, section: DriftSection) -> str:
    """One property in a phrase: both figures, the change with its interval, and what that shows."""
    what, n, base, tuned, change, shows = _cells(each, section)
    if each.change is None:
        return f"{what}: no signal, {n} requests have it in both answers"
    return f"{what} {base} → {tuned}, {change}, of {n}, {shows}"


def drift_table(section: DriftSection) -> list[tuple[str, ...]]:
    """The head, and a row for each property."""
    return [TABLE_HEAD, *(_cells(each, section) for each in section.result.changes)]


def _cells(each: StyleChange, section: DriftSection) -> tuple[str, str, str, str, str, str]:
    if each.change is None or each.base is None or each.tuned is None:
        return WHAT[each.name], str(each.n), "–", "–", "–", "no signal"
    if each.is_ratio:
        change = f"× {each.change.estimate:.2f} [{each.change.low:.2f}, {each.change.high:.2f}]"
        figures, margin = (f"{each.base:.3g}", f"{each.tuned:.3g}"), f"{100 * section.ratio_margin:g} %"
    else:
        change = change_text(each.change)
        figures, margin = (f"{100 * each.base:.1f} %", f"{100 * each.tuned:.1f} %"), f"{100 * section.margin:g} points"
    return WHAT[each.name], str(each.n), *figures, change, _verdict(each.outcome, margin)


def _verdict(outcome: RiskOutcome, margin: str) -> str:
    match outcome:
        case RiskOutcome.NO_WORSE:
            return f"within the margin of {margin}"
        case RiskOutcome.WORSE:
            return "changed"
        case RiskOutcome.NO_SIGNAL:
            return "no signal"
        case _:
            return f"not shown to be within the margin of {margin}"


def drift_lines(section: DriftSection) -> list[str]:
    """How it was compared, and the limits of these figures."""
    result = section.result
    fewer = "" if result.n == result.prompts else f" of {result.prompts}"
    return [
        f"style is compared on {result.n}{fewer} general requests (version {result.version}), those of instruction-following, answered "
        f"without the instruction of the case; {result.incoherent} answers of the base are no text, and with more than "
        f"{100 * MOST_INCOHERENT:.0f} % of them there is no signal",
        f"stated beforehand as small enough: {100 * section.margin:g} points for shares (risk.margin), {100 * section.ratio_margin:g} % "
        "for lengths and perplexities (risk.drift_margin); a model's own greedy answers are the ones it finds likeliest, so that any "
        f"other answer has a higher perplexity under it; this took {result.seconds / 60:.1f} minutes",
    ]
