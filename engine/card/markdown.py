"""The card as Markdown: `card.md`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.audit.profile_text import profile_lines
from tuneproof.engine.card.behaviour_text import TABLE_HEAD as BEHAVIOUR_HEAD
from tuneproof.engine.card.behaviour_text import behaviour_lines, behaviour_table
from tuneproof.engine.card.cost_text import TABLE_HEAD, cost_lines, cost_table
from tuneproof.engine.card.drift_section import drift_lines, drift_table
from tuneproof.engine.card.judge_section import judge_lines
from tuneproof.engine.card.learning_curve import curve_lines
from tuneproof.engine.card.merged_model import form_lines
from tuneproof.engine.card.method_comparison import comparison_lines
from tuneproof.engine.card.overfitting_section import overfitting_lines
from tuneproof.engine.card.plan_text import planned_lines
from tuneproof.engine.card.schema import Card, CardArm, CardSection, DataShapeSection, MethodSection
from tuneproof.engine.card.summary import VERIFY_HERE, rate_text, summary_lines
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import Metric
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.run.artifacts import TrainedLength
from tuneproof.engine.scoring.verdict_schema import PairedDifference
from tuneproof.engine.scoring.verdict_text import format_p_value

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_IMAGE = re.compile(r"!(?=\[)")
_LINK = re.compile(r"\](?=[(\[:])")


def card_text(card: Card) -> str:
    """The card as Markdown: in short, then the verdict, the arms, the sections, and the provenance.

    Names and texts of data in it are inert.
    """
    card = Card.model_validate(_inert(card.model_dump()))
    parts = [f"# {card.name}: {card_title(card)}", _summary(card)]
    parts += ["## Verdict", card.verdict.reason, *difference_lines(card)]
    parts += ["## Arms", *_arms(card)] if card.arms else []
    fields: list[tuple[str, CardSection | None]] = [
        ("Decision", card.decision),
        ("Data Shape", card.data_shape),
        ("Method", card.method),
        ("Eval Set", card.eval_set),
    ]
    for title, field in fields:
        parts += [f"## {title}", field.summary if field else "Not reached."]
        if isinstance(field, DataShapeSection):
            parts.append("\n".join(f"- {line}" for line in profile_lines(field.profile)))
        if isinstance(field, MethodSection) and method_lines(field):
            parts.append("\n".join(f"- {line}" for line in method_lines(field)))
        if isinstance(field, MethodSection) and field.planned is not None:
            parts.append("\n".join(f"- {line}" for line in planned_lines(field.planned)))
    for section in optional_sections(card):
        parts += [f"## {section.title}", section.summary, *_table(section), *_list(section.lines)]
    parts += ["## Risk", "\n".join(f"- {item}" for item in card.risk.items) or card.risk.summary]
    parts += ["## Provenance", _provenance(card)]
    return "\n\n".join(parts) + "\n"


def _table(section: OptionalSection) -> list[str]:
    if not section.table:
        return []
    head, *rows = (f"| {' | '.join(cells)} |" for cells in section.table)
    return ["\n".join([head, "|---" * len(section.table[0]) + "|", *rows])]


def _list(lines: list[str]) -> list[str]:
    return ["\n".join(f"- {line}" for line in lines)] if lines else []


def _summary(card: Card) -> str:
    """What to read if nothing else is read."""
    lines = [f"- **{line.title}{'' if line.title.endswith('?') else ':'}** {line.text}" for line in summary_lines(card)]
    return "\n".join([*lines, f"- **Check it:** `{VERIFY_HERE}`, in this folder"])


def _inert(value: Any) -> Any:
    """The same content with every text in one plain line that is no HTML, link or image to what renders it."""
    if type(value) is str:
        text = _TAG.sub("&lt;", sanitize(value, one_line=True))
        return _LINK.sub("&#93;", _IMAGE.sub("&#33;", text))
    if isinstance(value, dict):
        return {_inert(key): _inert(inner) for key, inner in value.items()}
    return [_inert(inner) for inner in value] if isinstance(value, list | tuple) else value


def card_title(card: Card) -> str:
    """The answer, with the few words that say how good it is."""
    return f"{card.verdict.answer}: {card.verdict.headline}" if card.verdict.headline else str(card.verdict.answer)


@dataclass(frozen=True)
class OptionalSection:
    """A section that not every card has."""

    title: str
    summary: str
    lines: list[str]
    """The figures behind the summary, and its limits."""
    table: Sequence[Sequence[str]] = ()
    """The head and the rows of a table, for a section that has one."""

    @property
    def rows(self) -> list[str]:
        """The rows of the table as sentences, for where there is no room for one."""
        if not self.table:
            return []
        head, *rows = self.table
        named = [[f"{name} {value}" for name, value in zip(head[1:], row[1:], strict=True) if value not in ("", "–")] for row in rows]
        return [f"{row[0]}: {', '.join(cells)}" for row, cells in zip(rows, named, strict=True)]


def optional_sections(card: Card) -> list[OptionalSection]:
    """The sections about the judge and about models besides the tuned one that this card has."""
    served, comparison, curve = card.served, card.comparison, card.learning_curve
    sections = []
    if any(arm.rules for arm in card.arms):
        sections.append(OptionalSection("Rules", RULES_SUMMARY, rule_lines(card)))
    if any(arm.labels for arm in card.arms):
        sections.append(OptionalSection("Labels", *label_table(card)))
    if card.judge is not None:
        sections.append(OptionalSection("Judge", card.judge.summary, judge_lines(card.judge)))
    if served is not None:
        sections.append(OptionalSection("Served Model", served.summary, form_lines(served)))
    if comparison is not None:
        sections.append(OptionalSection("Methods Compared", comparison.summary, comparison_lines(comparison)))
    if curve is not None:
        sections.append(OptionalSection("Learning Curve", curve.summary, curve_lines(curve)))
    if card.cost is not None:
        sections.append(OptionalSection("Cost", card.cost.summary, cost_lines(card.cost), [TABLE_HEAD, *cost_table(card.cost)]))
    if card.risk.behaviour is not None:
        outside, rows = card.risk.behaviour, behaviour_table(card.risk.behaviour)
        table = [BEHAVIOUR_HEAD, *rows] if rows else []
        sections.append(OptionalSection("Outside the Task", outside.summary, behaviour_lines(outside), table))
    if card.risk.overfitting is not None:
        sections.append(OptionalSection("Overfitting", card.risk.overfitting.summary, overfitting_lines(card.risk.overfitting)))
    if card.risk.drift is not None:
        sections.append(OptionalSection("Style Drift", card.risk.drift.summary, drift_lines(card.risk.drift), drift_table(card.risk.drift)))
    return sections


MOST_LABELS = 40
"""Labels that the card lists; `card.json` has all."""


def label_table(card: Card) -> tuple[str, list[str]]:
    """How one arm answers each label, the most frequent first: the tuned arm, or the best one before there is any."""
    having = [arm for arm in card.arms if arm.labels]
    shown = next((arm for arm in having if arm.arm == ArmName.TUNED), None) or max(having, key=lambda arm: arm.quality)
    lines = [
        f"{label}: precision {_share(score.precision)}, recall {_share(score.recall)}, F1 {score.f1:.2f}, in {score.support} "
        f"case{'' if score.support == 1 else 's'}"
        for label, score in list(shown.labels.items())[:MOST_LABELS]
    ]
    more = len(shown.labels) - MOST_LABELS
    return f"How {shown.arm} answers each label.", [*lines, *([f"and {more:,} more labels, in card.json"] if more > 0 else [])]


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.2f}"


RULES_SUMMARY = "How many of the answers keep each rule; all of them together are the format."


def rule_lines(card: Card) -> list[str]:
    """Each rule with the rate of every arm, and all rules together."""
    titles = dict.fromkeys(title for arm in card.arms for title in arm.rules)
    rates = {title: [f"{arm.arm} {rate_text(arm.rules[title])}" for arm in card.arms if title in arm.rules] for title in titles}
    rates["all of them"] = [f"{arm.arm} {rate_text(arm.format_valid)}" for arm in card.arms]
    return [f"{title}: {'; '.join(found)}" for title, found in rates.items()]


def method_lines(method: MethodSection) -> list[str]:
    """Each setting with the source of its value, and the length of the rows; empty if nothing was to be trained."""
    if method.skipped is not None:
        return []
    lines = [
        f"{key} {_number(method.settings[key])}: {source}" for key, source in method.sources.items() if method.settings.get(key) is not None
    ]
    return [*lines, *([length_line(method.length)] if method.length else [])]


def length_line(length: TrainedLength) -> str:
    """The length of the train rows, how many answers a cut at their 99th percentile would shorten, and how many rows were left out."""
    cut = "no answer" if not length.cut else f"{length.cut} answer{'s' if length.cut > 1 else ''}"
    line = f"length: 99 % of the train rows have at most {length.p99:,} tokens, the longest has {length.longest:,}"
    line += f"; a cut at {length.p99:,} would shorten {cut}"
    if length.left_out:
        return f"{line}; {length.left_out} longer rows were left out"
    return f"{line}, so no row is cut" if length.cut else f"{line}, and no row is cut"


def _number(value: float | int | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _arms(card: Card) -> list[str]:
    table, notes = arm_table(card), arm_notes(card)
    head = [f"| {' | '.join(table.head)} |", "|---" * len(table.head) + "|"]
    text = "\n".join([*head, *(f"| {' | '.join(row)} |" for row in table.rows)])
    return [text, *(["\n".join(f"- {line}" for line in notes)] if notes else [])]


@dataclass(frozen=True)
class ArmTable:
    """Every arm with its rates and costs as text, lightest first; the first column is its name."""

    head: list[str]
    rows: list[list[str]]


def arm_table(card: Card) -> ArmTable:
    """The arms of the card as a table."""
    names = ["arm", "format valid", "correct", "cut off", "tokens per case", "seconds per case"]
    priced = any(arm.usd_per_1000_requests is not None for arm in card.arms)
    if metric := _shown_metric(card):
        names.insert(2, metric)
    names += ["USD for 1,000 requests"] if priced else []
    return ArmTable(names, [_row(arm, metric, priced) for arm in card.arms])


def arm_notes(card: Card) -> list[str]:
    """Notes on the arms: how each one prompts and decodes, and what its rates leave out."""
    return [f"{arm.arm}: {'. '.join(_notes(arm))}." for arm in card.arms if _notes(arm)]


def _notes(arm: CardArm) -> list[str]:
    notes = [arm.approach] if arm.approach else []
    notes += _script_fields(arm)
    if arm.recall is not None:
        notes.append(f"Of the cases that name a document, {rate_text(arm.recall)} were shown a passage of it")
    if arm.left_out:
        notes.append(f"{arm.left_out} times an example was not shown because it is a near-duplicate of the case")
    if arm.unanswered:
        notes.append(f"Rates count only the {arm.n} cases that have an answer")
    return notes


def _script_fields(arm: CardArm) -> list[str]:
    """The fields that a script of the case gave, where it gave several."""
    prefix = f"{Metric.SCRIPT}: "
    fields = [f"{name.removeprefix(prefix)} {value:.3f}" for name, value in arm.metrics.items() if name.startswith(prefix)]
    return [f"{prefix}{', '.join(fields)}"] if fields else []


def _shown_metric(card: Card) -> str:
    """The metric that has a column beside the correct answers; empty if they are what it counts."""
    return (card.eval_set.metric or "") if card.eval_set and any(arm.score is not None for arm in card.arms) else ""


def _row(arm: CardArm, metric: str, priced: bool) -> list[str]:
    usd = "–" if arm.usd_per_1000_requests is None else f"{arm.usd_per_1000_requests:.4f}"
    return [
        arm.arm,
        rate_text(arm.format_valid),
        *([f"{arm.score:.3f}"] if metric and arm.score is not None else []),
        rate_text(arm.correct),
        f"{arm.truncated} of {arm.n}" if arm.truncated else "none",
        "–" if arm.tokens_untold == arm.n else f"{arm.tokens_per_case:.0f}",
        f"{arm.seconds_per_case:.3f}",
        *([usd] if priced else []),
    ]


def difference_lines(card: Card) -> list[str]:
    """The tuned arm against the untuned ones, in sentences; none before it is measured."""
    difference, verdict = card.verdict.difference, card.verdict
    if difference is None:
        return []
    lines = [_cases_that_differ(difference, verdict.best_untuned_arm or "")]
    if len(verdict.comparisons) > 1:
        lines.append(
            "Tuned against each untuned arm, with Holm-adjusted p-values: "
            + "; ".join(f"{each.arm} {100 * each.estimate:+.0f} points, {format_p_value(each.p_holm)}" for each in verdict.comparisons)
            + "."
        )
    if verdict.not_ranked:
        lines.append(f"Not compared, because too many cases have no answer: {', '.join(verdict.not_ranked)}.")
    return [*lines, *([verdict.cost] if verdict.cost else [])]


def _cases_that_differ(difference: PairedDifference, untuned: str) -> str:
    """On how many cases which of the two is better; the size of the difference is in the reason of the verdict."""
    groups = f" in {difference.clusters} groups" if difference.clusters is not None else ""
    better, worse = difference.only_tuned_right, difference.only_untuned_right
    won = "the judge prefers the tuned model on" if difference.judged else "the tuned model is better on"
    return f"Of the {difference.cases} cases{groups} that both answered, {won} {better}, {untuned} on {worse}."


def _provenance(card: Card) -> str:
    made = card.provenance
    rows = [
        ("case", made.case_sha256),
        ("eval set", made.eval_sha256),
        (f"base {made.base}", made.base_sha256),
        ("adapter", made.adapter_sha256),
    ]
    listed = "\n".join(f"- {name}: sha256 `{digest}`" for name, digest in rows if digest)
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    listed += f"\n- endpoint: {made.endpoint}" if made.endpoint else ""
    if made.generation:
        listed += "\n- generation config: " + ", ".join(f"{name} {json.dumps(value)}" for name, value in made.generation.items())
    return listed + (f"\n- ran on {made.device}, {versions}" if made.device else "")
