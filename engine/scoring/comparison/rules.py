"""One value of an answer against the expected one, by one rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from tuneproof.engine.case.compare import (
    NORMALISED,
    ComparisonRule,
    DateRule,
    ItemsRule,
    NumberRule,
    ProseRule,
    RuleName,
    RuleSettings,
    TextRule,
)
from tuneproof.engine.scoring.comparison.dates import read_date, same_date
from tuneproof.engine.scoring.comparison.numbers import is_plainly_a_number, number_of, same_number
from tuneproof.engine.scoring.comparison.texts import text_form
from tuneproof.engine.scoring.json_values import same_json
from tuneproof.engine.scoring.prose import PROSE_SCORES, ROUNDING

Settled = TextRule | NumberRule | DateRule | ProseRule | ItemsRule | None
"""A rule with all its settings; None is the exact one."""

WORDS: dict[RuleName, Settled] = {
    RuleName.AUTO: TextRule(),
    RuleName.EXACT: None,
    RuleName.TEXT: TextRule(),
    RuleName.NORMALISED: NORMALISED,
    RuleName.NUMBER: NumberRule(),
    RuleName.DATE: DateRule(),
    RuleName.PROSE: ProseRule(),
    RuleName.SET: ItemsRule(),
    RuleName.UNORDERED: ItemsRule(),
}
"""What each word means for a value; `ignore` is for a path and not for a value."""

Same = Callable[[Any, Any], bool]
"""Whether a value of an answer equals the expected one."""

BETWEEN_ITEMS = re.compile("[,;\n\u3001\uff0c\uff1b]")
"""What stands between the items of a list that is a text."""


def settled(rule: ComparisonRule) -> Settled:
    """A rule with all its settings."""
    return rule.rule if isinstance(rule, RuleSettings) else WORDS[rule]


def is_of_lists(rule: ComparisonRule) -> bool:
    """Whether a rule compares lists item by item in any order."""
    return isinstance(settled(rule), ItemsRule) if rule is not RuleName.IGNORE else False


def counts_repeats(rule: ComparisonRule) -> bool:
    """Whether a rule of lists counts how often an item occurs."""
    return rule is RuleName.UNORDERED or (isinstance(rule, RuleSettings) and rule.unordered is not None)


def same_by(rule: ComparisonRule, answer: Any, expected: Any) -> bool:
    """Whether two values that are neither objects nor lists are equal; a value that the rule is not for is compared as a text."""
    match settled(rule):
        case None:
            return same_json(answer, expected)
        case NumberRule() as numbers:
            return _same_number(numbers, answer, expected)
        case DateRule() as dates:
            return _same_date(dates, answer, expected)
        case ProseRule() as prose:
            return _same_prose(prose, answer, expected)
        case ItemsRule() as lists:
            return same_by(lists.items, answer, expected) if lists.items is not RuleName.IGNORE else True
        case TextRule() as texts:
            return _same_text(texts, answer, expected)


def same_number_or_text(answer: str, expected: str) -> bool:
    """Whether what a pattern found is the same: as a number if the expected text is one, and no code such as 007."""
    return same_by(RuleName.NUMBER if is_plainly_a_number(expected) else RuleName.TEXT, answer, expected)


def items_of(text: str, separator: str | None) -> list[str]:
    """The items of a list that is a text."""
    parts = text.split(separator) if separator is not None else BETWEEN_ITEMS.split(text)
    return [part.strip() for part in parts if part.strip()]


def same_items(answer: Sequence[Any], expected: Sequence[Any], same: Same, *, count_repeats: bool) -> bool:
    """Whether two lists have equal items, in any order."""
    if not count_repeats:
        found = [any(same(item, wanted) for item in answer) for wanted in expected]
        return all(found) and all(any(same(item, wanted) for wanted in expected) for item in answer)
    if len(answer) != len(expected):
        return False
    left = list(answer)
    for wanted in expected:
        at = next((at for at, item in enumerate(left) if same(item, wanted)), None)
        if at is None:
            # An item within the tolerance of two others may have been given to the wrong one.
            return _can_be_paired(answer, expected, same)
        left.pop(at)
    return True


def _can_be_paired(answer: Sequence[Any], expected: Sequence[Any], same: Same) -> bool:
    """Whether each item has an equal one of its own (Hopcroft and Karp 1973)."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    pairs = np.array([[same(item, wanted) for item in answer] for wanted in expected], bool)
    return bool((maximum_bipartite_matching(csr_array(pairs), perm_type="column") >= 0).all())


def _same_text(rule: TextRule, answer: Any, expected: Any) -> bool:
    if isinstance(answer, str) and isinstance(expected, str):
        return answer == expected or text_form(answer, rule) == text_form(expected, rule)
    return same_json(answer, expected)


def _same_number(rule: NumberRule, answer: Any, expected: Any) -> bool:
    wanted, given = number_of(expected, rule.decimal), number_of(answer, rule.decimal)
    if wanted is None or given is None:
        return wanted is None and given is None and _same_text(TextRule(), answer, expected)
    return same_number(given, wanted, rule)


def _same_date(rule: DateRule, answer: Any, expected: Any) -> bool:
    # Days may be written as numbers, as 20260105 is.
    wanted, given = (read_date(str(value), rule.first) if _may_be_date(value) else None for value in (expected, answer))
    if wanted is None or given is None:
        return _same_text(TextRule(), answer, expected)
    return same_date(given, wanted, rule)


def _same_prose(rule: ProseRule, answer: Any, expected: Any) -> bool:
    if not isinstance(answer, str) or not isinstance(expected, str):
        return same_json(answer, expected)
    if answer.strip() == expected.strip():
        return True
    return bool(answer.strip()) and PROSE_SCORES[rule.metric](answer, expected) >= rule.pass_score - ROUNDING


def _may_be_date(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
