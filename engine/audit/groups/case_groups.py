"""Which frozen cases belong together, so that an interval does not take them for independent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuneproof.engine.audit.groups.fields import Fields, group_value, names_a_group
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.groups import group_of

CONVERSATION = "conversation"
"""What joins the turns of one conversation, where each is an example."""


@dataclass(frozen=True)
class CaseGroups:
    """The group of each case by its id, and the metadata field that they were read from; empty if every case stands alone."""

    field_name: str | None = None
    of_case: Mapping[str, str] = field(default_factory=dict)


def case_groups(cases: Sequence[tuple[str, Example]], group_by: str | None) -> CaseGroups:
    """The groups of the cases by the field that the case names, else by the field that identifies groups and joins most cases.

    A field is looked for by its name (conversation, user, document, …), and counts only if two cases share a value of it and there are
    two values or more. The first turns of conversations without such a field join cases as well. Where every turn is an example, a
    conversation is a group, or part of the group that its field names.
    """
    if group_by is not None:
        groups = {name: group_of(example, group_by) or example.conversation or f"case {name}" for name, example in cases}
        return _groups(group_by, groups)
    conversations = _groups(CONVERSATION, {name: example.conversation or None for name, example in cases})
    candidates = [conversations, *(_groups(name, _values(cases, name)) for name in sorted(_field_names(cases)))]
    candidates.append(_groups("first turns", _openings(cases)))
    joined = [(_joined(each), each) for each in candidates if len(set(each.of_case.values())) > 1]
    most = max((count for count, _ in joined), default=0)
    widest = [each for count, each in joined if count == most] if most else []
    if conversations.of_case:
        # Of those that join all turns, the one that also joins conversations.
        widest.sort(key=lambda each: len(set(each.of_case.values())))
    return widest[0] if widest else CaseGroups()


def _field_names(cases: Sequence[tuple[str, Example]]) -> set[str]:
    return {name for name in Fields.of(Rows(example for _, example in cases)).names if names_a_group(name)}


def _values(cases: Sequence[tuple[str, Example]], name: str) -> dict[str, str | None]:
    values = ((case, group_value(example, name), example.conversation) for case, example in cases)
    # Cards that were written before 0 was taken for a value have to verify.
    return {case: (None if value == "0" else value) or conversation or None for case, value, conversation in values}


def _openings(cases: Sequence[tuple[str, Example]]) -> dict[str, str | None]:
    """The first turn of each conversation of several turns, and of the cases that begin like one."""
    first = {case: example.history[0].content if example.history else example.input for case, example in cases}
    continued = {example.history[0].content for _, example in cases if example.history}
    return {case: opening if opening in continued else None for case, opening in first.items()}


def _groups(name: str, values: Mapping[str, str | None]) -> CaseGroups:
    return CaseGroups(name, {case: value for case, value in values.items() if value is not None})


def _joined(groups: CaseGroups) -> int:
    """How many cases share their group with another."""
    return sum(count for count in Counter(groups.of_case.values()).values() if count > 1)
