"""The sections of the page in their order. A new section of the card needs nothing here if `optional_sections` has it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tuneproof.engine.audit.profile_text import profile_lines
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.markdown import OptionalSection, arm_notes, arm_table, difference_lines, method_lines, optional_sections
from tuneproof.engine.card.page.cases import changed_cases
from tuneproof.engine.card.page.content import Fold, PageSection, Plot, Table
from tuneproof.engine.card.page.plots import Bar, arm_bars
from tuneproof.engine.card.page.training import training_section
from tuneproof.engine.card.schema import Card, CardArm, CardSection
from tuneproof.engine.card.summary import rate_text
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.scoring.rule import VerdictAnswer

MOST_OPEN_LINES = 6
"""Lines of a section that are shown; more are folded away."""


def page_sections(card: Card, evidence: Evidence) -> list[PageSection]:
    """Every section below the summary."""
    sections = [
        _verdict(card),
        changed_cases(card, evidence),
        *_fields(card),
        training_section(evidence),
        *(_optional(section) for section in optional_sections(card)),
        _provenance(card),
    ]
    return [section for section in sections if section is not None]


def arms_plot(card: Card, evidence: Evidence) -> Plot | None:
    """The arms as bars with the target; None before one is scored."""
    measure = evidence.measure
    if measure is None or not card.arms:
        return None
    counts = measure.counts_correct_answers
    use = ArmName.TUNED if card.verdict.answer in (VerdictAnswer.TUNE, VerdictAnswer.REPLACE) else card.verdict.best_untuned_arm
    bars = [_bar(arm, None if counts else arm.metrics.get(measure.metric), stands_out=arm.arm == use) for arm in card.arms]
    what = "Correct answers" if counts else str(measure.metric)
    said = "; ".join(f"{bar.arm} {bar.text}" for bar in bars)
    target = "" if measure.at_least is None else f" The dashed line is the target, {100 * measure.at_least:g} %."
    intervals = ", with 95 % intervals" if counts else ""
    of_cases = f" on {card.eval_set.n} frozen cases" if card.eval_set else ""
    label = f"{what}{of_cases} by arm: {said}.{target}"
    return Plot(arm_bars(bars, measure.at_least, label), f"{what}{of_cases}{intervals}, per cent. In bold the arm to use.{target}")


def _bar(arm: CardArm, score: float | None, *, stands_out: bool) -> Bar:
    if score is not None:
        return Bar(arm.arm, score, None, None, f"{100 * score:.1f}", stands_out)
    rate = arm.correct
    return Bar(arm.arm, rate.rate, rate.low, rate.high, rate_text(rate).replace(" %", ""), stands_out)


def _verdict(card: Card) -> PageSection:
    tables = []
    if card.arms:
        table = arm_table(card)
        tables.append(Table("All arms, lightest first", table.head, table.rows))
    return PageSection("Verdict", paragraphs=[card.verdict.reason, *difference_lines(card)], tables=tables, lines=arm_notes(card))


def _fields(card: Card) -> list[PageSection]:
    """The five fields; one that the run has not reached says so."""
    data, method, cases = card.data_shape, card.method, card.eval_set
    return [
        PageSection("Decision", paragraphs=[card.decision.summary]),
        PageSection("Data Shape", paragraphs=[_said(data)], lines=profile_lines(data.profile) if data else ()),
        PageSection(
            "Method",
            paragraphs=[_said(method)],
            folds=_folded("Every setting, and where its value comes from", method_lines(method) if method else ()),
        ),
        PageSection("Eval Set", paragraphs=[_said(cases)]),
        PageSection("Risk", lines=card.risk.items or [card.risk.summary]),
    ]


def _said(field: CardSection | None) -> str:
    return field.summary if field else "Not reached."


def _optional(section: OptionalSection) -> PageSection:
    """A section as every text of the card has it; many lines are folded away."""
    tables = [Table(section.title, section.table[0], section.table[1:])] if section.table else []
    is_long = len(section.lines) > MOST_OPEN_LINES
    folds = _folded("The figures behind it, and its limits", section.lines) if is_long else []
    return PageSection(section.title, paragraphs=[section.summary], tables=tables, lines=() if is_long else section.lines, folds=folds)


def _folded(title: str, lines: Sequence[str]) -> list[Fold]:
    return [Fold(title, lines=lines)] if lines else []


def _provenance(card: Card) -> PageSection:
    made = card.provenance
    files = [("the case", made.case_sha256), ("the frozen eval set", made.eval_sha256)]
    files += [(f"the base, {made.base}", made.base_sha256), ("the adapter", made.adapter_sha256)]
    digests = [[name, digest] for name, digest in files if digest]
    ran = [] if made.device is None else [f"ran on {made.device}"]
    ran += [f"endpoint: {made.endpoint}"] if made.endpoint else []
    if made.generation:
        ran.append("generation config: " + ", ".join(f"{name} {json.dumps(value)}" for name, value in made.generation.items()))
    ran += [", ".join(f"{name} {version}" for name, version in made.versions.items())] if made.versions else []
    steps = [[step, digest] for step, digest in made.steps.items()]
    return PageSection(
        "Provenance",
        paragraphs=[
            "The card is made from files whose SHA-256 digests are recorded, and every step of the run has a digest of its own over its "
            "inputs and its files. If one byte of one of them changes, `tuneproof verify` names the file."
        ],
        tables=[Table("What the card rests on", ["file", "SHA-256"], digests)],
        lines=ran,
        folds=[Fold("The chain of all steps", tables=[Table("Steps of the run", ["step", "SHA-256"], steps)])],
    )
