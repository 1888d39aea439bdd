"""The packages that grade answers; another version may grade them otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.case.compare import ComparisonRule, DateRule, ItemsRule, ProseRule, RuleName
from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.scoring.comparison.rules import Settled, settled

OF_TEXTS = ("sacrebleu", "rapidfuzz", "py3langid")
OF_DATES = ("python-dateutil",)

LIBRARIES = (*OF_TEXTS, *OF_DATES)
"""All that a task may use."""


def grading_libraries(task: Task) -> tuple[str, ...]:
    """Those that a task uses."""
    rules = [each for rule in (task.compare.default, *task.compare.fields.values()) for each in _with_items(rule)]
    texts = task.output.kind is OutputKind.TEXT or any(isinstance(rule, ProseRule) for rule in rules)
    dates = any(isinstance(rule, DateRule) for rule in rules)
    return (*(OF_TEXTS if texts else ()), *(OF_DATES if dates else ()))


def _with_items(rule: ComparisonRule) -> Iterator[Settled]:
    """A rule with its settings, and behind a rule of lists that of its items."""
    if rule is RuleName.IGNORE:
        return
    found = settled(rule)
    yield found
    if isinstance(found, ItemsRule):
        yield from _with_items(found.items)
