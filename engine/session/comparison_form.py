"""How answers are compared, as the task step shows and asks for it; rules with settings of their own are entered as a key of the case."""

from __future__ import annotations

from tuneproof.engine.case.compare import Care, ComparisonRule, RuleName, RuleSettings, TextRule
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import Task
from tuneproof.engine.scoring.comparison.words import comparison_in_words
from tuneproof.engine.session.task_form import Sections, task_of

ANY_CASE = "any case"
"""The choice of texts in which capital and small letters are the same."""

OWN = "own"
"""The choice of the rule that the case has, where it has settings."""

_ANY_CASE_RULE = RuleSettings(text=TextRule(case=Care.IGNORE))

RULE_CHOICES = {
    RuleName.AUTO.value: "by value, and texts in one Unicode form",
    RuleName.EXACT.value: "character by character; JSON numbers by value",
    ANY_CASE: "texts, whatever the capital letters",
    RuleName.NORMALISED.value: "texts, whatever the white space and the style of quotes and dashes",
    RuleName.NUMBER.value: "numbers by value: 1,200.50 and 1200.5 are equal",
    RuleName.DATE.value: "dates by what they say, in ISO and other forms",
    RuleName.SET.value: "lists in any order; repeats do not count",
    RuleName.UNORDERED.value: "lists in any order; repeats count",
    RuleName.PROSE.value: "prose, right where chrF reaches 0.5",
}
"""The rules that have no settings, and what is equal under each."""


def rule_choices(content: DraftCase) -> list[tuple[str, str]]:
    """The rules that can be chosen; the one of the case too, if it has settings."""
    own = [(OWN, "the rule that the case has; k lists it")] if chosen_rule(content) == OWN else []
    return [*own, *RULE_CHOICES.items()]


def chosen_rule(content: DraftCase) -> str:
    """The choice that the case has."""
    rule = task_of(content).compare.default
    if rule == _ANY_CASE_RULE:
        return ANY_CASE
    return rule.value if isinstance(rule, RuleName) and rule.value in RULE_CHOICES else OWN


def with_rule(content: DraftCase, choice: str) -> Sections:
    """The sections with another rule; those of single fields stay. None for the rule that the case has."""
    if choice == OWN:
        return {}
    rule: ComparisonRule = _ANY_CASE_RULE if choice == ANY_CASE else RuleName(choice)
    task = task_of(content)
    return {"task": task.model_copy(update={"compare": task.compare.model_copy(update={"default": rule})})}


def describe_comparison(task: Task) -> str:
    """By what rule answers are compared."""
    return comparison_in_words(task) or f"By the score: right from {task.pass_score:g} on."
