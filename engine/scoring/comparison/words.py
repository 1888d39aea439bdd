"""How answers are compared, in words for the card."""

from __future__ import annotations

from tuneproof.engine.case.compare import (
    Care,
    Compare,
    ComparisonRule,
    DateRule,
    DecimalMark,
    ItemsRule,
    NumberRule,
    Percent,
    ProseRule,
    RuleName,
    RuleSettings,
    TextRule,
    Units,
)
from tuneproof.engine.case.task import WITH_FIELDS, WITH_PASS_SCORE, OutputKind, Task
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.scoring.comparison.rules import counts_repeats, settled

MOST_FIELDS = 12
"""Fields whose rules the card names."""

SUBJECTS = {
    OutputKind.JSON: "Each value is",
    OutputKind.TOOL_CALLS: "Each argument is",
    OutputKind.CHOICE: "The label is",
    OutputKind.LABELS: "Each label is",
    OutputKind.PATTERN: "What the pattern finds last, before the output goes on to another request, is",
    OutputKind.TEXT: "The text is",
}
"""What is compared, by the output kind."""

IGNORED = {
    "case": "capital letters",
    "white_space": "runs of white space",
    "typography": "styles of quotes and dashes",
    "end_punctuation": "punctuation at the end",
}


def comparison_in_words(task: Task) -> str:
    """By what rule an answer, and each field that has its own, is compared; empty where a score decides and the case says nothing."""
    compare = task.compare
    if task.primary_metric in WITH_PASS_SCORE and compare == Compare():
        return ""
    default = "not compared" if compare.default is RuleName.IGNORE else f"compared {_rule(compare.default, task.output.kind)}"
    if not compare.fields:
        return f"{SUBJECTS[task.output.kind]} {default}."
    named = [f"{sanitize(path, one_line=True)} {_of_field(rule, task.output.kind)}" for path, rule in compare.fields.items()]
    more = [f"{len(named) - MOST_FIELDS} more by rules of their own"] if len(named) > MOST_FIELDS else []
    return f"Compared by rules of their own: {'; '.join([*named[:MOST_FIELDS], *more])}. {SUBJECTS[task.output.kind]} otherwise {default}."


def _of_field(rule: ComparisonRule, kind: OutputKind) -> str:
    return "not at all" if rule is RuleName.IGNORE else _rule(rule, kind)


def _rule(rule: ComparisonRule, kind: OutputKind) -> str:
    if rule is RuleName.AUTO and kind is OutputKind.PATTERN:
        return "as a number where the expected answer is one, else in one Unicode form"
    match settled(rule):
        case None:
            return "by value, texts character by character" if kind in WITH_FIELDS else "character by character"
        case TextRule() as texts:
            values = "by value, texts " if kind in WITH_FIELDS and not isinstance(rule, RuleSettings) else ""
            return values + _text(texts)
        case NumberRule() as numbers:
            return _number(numbers)
        case DateRule() as dates:
            order = f", the {dates.first} first" if dates.first is not None else ""
            return f"as a date{order}{', without the time of day' if dates.time is Care.IGNORE else ''}"
        case ProseRule() as prose:
            return f"as prose, right from {prose.pass_score:g} {prose.metric} on"
        case ItemsRule() as lists:
            items = "" if lists.items is RuleName.AUTO else f", items {_of_field(lists.items, kind)}"
            return f"{'as a list in any order' if counts_repeats(rule) else 'as a set'}{items}"


def _text(rule: TextRule) -> str:
    ignored = [words for name, words in IGNORED.items() if getattr(rule, name) is Care.IGNORE]
    without = f", whatever the {' and '.join([', '.join(ignored[:-1]), ignored[-1]] if len(ignored) > 1 else ignored)}" if ignored else ""
    return f"in one Unicode form{without}"


def _number(rule: NumberRule) -> str:
    limits = [f"{rule.tolerance:g}"] if rule.tolerance else []
    limits += [f"{100 * rule.relative:g} %"] if rule.relative else []
    parts = [
        f"as a number{' within ' + ' or '.join(limits) if limits else ''}",
        {DecimalMark.AUTO: "", DecimalMark.POINT: "decimals after a point", DecimalMark.COMMA: "decimals after a comma"}[rule.decimal],
        "45 % being 0.45" if rule.percent is Percent.SHARE else "",
        {Units.OPTIONAL: "", Units.REQUIRED: "in the expected unit", Units.IGNORE: "in any unit"}[rule.units],
    ]
    return ", ".join(filter(None, parts))
