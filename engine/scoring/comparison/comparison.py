"""How the answers of one task are compared with the expected ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from tuneproof.engine.case.compare import ANY, Compare, ComparisonRule, ItemsRule, RuleName, path_names
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.run.grading_rules import CURRENT_RULES, GradingRules
from tuneproof.engine.scoring.answer_pattern import AnswerPattern
from tuneproof.engine.scoring.comparison.first_rules import first_answer_of
from tuneproof.engine.scoring.comparison.rules import (
    counts_repeats,
    is_of_lists,
    items_of,
    same_by,
    same_items,
    same_number_or_text,
    settled,
)
from tuneproof.engine.scoring.run_on import answer_in

MOST_PATHS_KEPT = 20_000

MISSING = object()
"""The value of a field that an object does not have."""

Path = tuple[str, ...]


class Comparison:
    """Compares answers by the rules of `task.compare`: whole texts by the default, values of JSON by the rule of their path."""

    def __init__(self, compare: Compare | None = None, rules: GradingRules = CURRENT_RULES) -> None:
        if compare is None:
            compare = Compare(default=RuleName.EXACT) if rules is GradingRules.FIRST else Compare()
        self._compare, self._rules = compare, rules
        self._rules_found: dict[Path, ComparisonRule | None] = {}
        self._by_path = {path_names(path): rule for path, rule in compare.fields.items()}

    @classmethod
    def of(cls, task: Task, rules: GradingRules = CURRENT_RULES) -> Comparison:
        """The comparison of a task; a case that says nothing is compared by the rules that its run began with."""
        return cls(None if task.compare == Compare() else task.compare, rules)

    def answer_of(self, output: str) -> str:
        """An output without its reasoning."""
        return first_answer_of(output) if self._rules is GradingRules.FIRST else answer_of(output)

    def found_in(self, text: str, pattern: AnswerPattern) -> str | None:
        """What a pattern finds in a text: the first group of the match that counts; None if there is no match."""
        found = pattern.last_in(text) if self._rules is GradingRules.FIRST else answer_in(text, pattern)
        return (found.group(1) or "").strip() if found else None

    def same_text(self, answer: str, expected: str) -> bool:
        """Whether a whole answer is the expected one; white space around it never counts."""
        answer, expected, rule = answer.strip(), expected.strip(), self._compare.default
        if answer == expected:
            return True
        if is_of_lists(rule):
            separator = self._items(rule).separator
            return self._same_list(items_of(answer, separator), items_of(expected, separator), (), rule)
        return same_by(rule, answer, expected)

    def same_found(self, answer: str, expected: str) -> bool:
        """Whether what a pattern found in an answer is what it finds in the expected one."""
        if self._compare.default is RuleName.AUTO:
            return answer == expected or same_number_or_text(answer, expected)
        return self.same_text(answer, expected)

    def different_fields(self, got: Any, wanted: Any) -> tuple[str, ...]:
        """The top-level fields in which two documents differ; `$` if they differ and are not both objects."""
        if not isinstance(got, dict) or not isinstance(wanted, dict):
            return () if self.same_value(got, wanted) else ("$",)
        return tuple(key for key in {**wanted, **got} if not self.same_value(got.get(key, MISSING), wanted.get(key, MISSING), (key,)))

    def share_of_right_fields(self, got: Any, wanted: Any) -> float:
        """The share of the fields of both documents that are equal, of those that are compared; 0 if they are not both objects."""
        if not isinstance(got, dict) or not isinstance(wanted, dict):
            return 0.0
        fields = [key for key in {**wanted, **got} if not self.ignores((key,))]
        wrong = set(self.different_fields(got, wanted))
        return sum(key not in wrong for key in fields) / len(fields) if fields else 1.0

    def same_value(self, got: Any, wanted: Any, path: Path = ()) -> bool:
        """Whether the value at a path of an answer is the expected one; `MISSING` stands for a field that is not there."""
        return self._same(got, wanted, path, self._inherited(path))

    def _inherited(self, path: Path) -> ComparisonRule:
        """The rule that a value has from the nearest part above it that has one."""
        above = (self._rule_at(path[:length]) for length in range(len(path), -1, -1))
        return next((rule for rule in above if rule is not None), self._compare.default)

    def _same(self, got: Any, wanted: Any, path: Path, inherited: ComparisonRule) -> bool:
        rule = self._rule_at(path) or inherited
        if rule is RuleName.IGNORE and not self._has_rules_below(path):
            return True
        if isinstance(got, dict) and isinstance(wanted, dict):
            return all(self._same(got.get(key, MISSING), wanted.get(key, MISSING), (*path, key), rule) for key in {**wanted, **got})
        if is_of_lists(rule):
            lists = [self._as_list(value, rule) for value in (got, wanted)]
            if lists[0] is not None and lists[1] is not None:
                return self._same_list(lists[0], lists[1], path, rule)
        if isinstance(got, list) and isinstance(wanted, list):
            pairs = enumerate(zip_longest(got, wanted, fillvalue=MISSING))
            inner = self._items(rule).items if is_of_lists(rule) else rule
            return all(self._same(one, other, (*path, str(at)), inner) for at, (one, other) in pairs)
        if rule is RuleName.IGNORE:
            return self._same_below(got, wanted, path)
        return got is not MISSING and wanted is not MISSING and same_by(rule, got, wanted)

    def _same_below(self, got: Any, wanted: Any, path: Path) -> bool:
        """Whether only ignored parts are in a value that the other side lacks or has in another form."""
        value = got if isinstance(got, dict) else wanted
        if not isinstance(value, dict):
            return got is not MISSING and wanted is not MISSING
        return all(self.ignores((*path, key)) for key in value)

    def _same_list(self, got: Sequence[Any], wanted: Sequence[Any], path: Path, rule: ComparisonRule) -> bool:
        inner = self._items(rule).items

        def same(one: Any, other: Any) -> bool:
            return self._same(one, other, (*path, ANY), inner)

        return same_items(got, wanted, same, count_repeats=counts_repeats(rule))

    def _as_list(self, value: Any, rule: ComparisonRule) -> list[Any] | None:
        """A value as a list; a text is one of the items in it."""
        if isinstance(value, str):
            return list(items_of(value, self._items(rule).separator))
        return value if isinstance(value, list) else None

    def _items(self, rule: ComparisonRule) -> ItemsRule:
        found = settled(rule)
        return found if isinstance(found, ItemsRule) else ItemsRule()

    def ignores(self, path: Path) -> bool:
        """Whether nothing at a path is compared."""
        return self._inherited(path) is RuleName.IGNORE and not self._has_rules_below(path)

    def _rule_at(self, path: Path) -> ComparisonRule | None:
        """The rule of the path with the fewest `*` that fits."""
        if not self._by_path:
            return None
        if path not in self._rules_found:
            if len(self._rules_found) >= MOST_PATHS_KEPT:
                self._rules_found.clear()
            self._rules_found[path] = self._look_up(path)
        return self._rules_found[path]

    def _look_up(self, path: Path) -> ComparisonRule | None:
        parts = _parts(path)
        fitting = [names for names in self._by_path if len(names) == len(parts) and _fits(names, parts)]
        return self._by_path[min(fitting, key=lambda names: names.count(ANY))] if fitting else None

    def _has_rules_below(self, path: Path) -> bool:
        parts = _parts(path)
        return any(len(names) > len(parts) and _fits(names, parts) for names in self._by_path)


def _parts(path: Path) -> list[str]:
    """The names in a path; a name with points in it is several, as it is in the case file."""
    return [part for name in path for part in name.split(".")]


def _fits(names: Path, parts: Sequence[str]) -> bool:
    return all(name in (ANY, part) for name, part in zip(names, parts, strict=False))
