"""Rows to learn from and eval rows that come from the same conversation, document, user or group."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tuneproof.engine.audit.finding import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Rows, Table
from tuneproof.engine.data.example import Example, Source

GROUPS = frozenset(
    "conversation conversations conv convo dialog dialogue thread session chat user author speaker customer client patient account "
    "doc document article group cluster family db database repo repository project".split()
)
"""Words in the name of a field that say whose the row is."""

PLACES = frozenset("source url uri link file filename path book chapter page paragraph passage context table video episode ticket".split())
"""Words that name where a row was taken from, unless the value is a plain number: page 12 is in every book."""

IDENTIFIERS = frozenset("id ids uid uuid guid key hash".split())

PROPERTIES = frozenset(
    "type kind category lang language format count num total index position length len size age date day time timestamp created updated "
    "turn turns message prompt query text question answer response score rating version country city gender role model tokens words".split()
)
"""Words that name something about the conversation or user, which many others have as well."""

NO_VALUE = frozenset(("", "-", "0", "none", "null", "nan", "n/a", "na", "unknown", "anonymous", "other"))

FEWEST_VALUES = 10
ROWS_A_VALUE = 50
"""A field tells groups apart where it has ten values or more, and a value fifty rows or fewer on average; `source: web` does not."""

WORDS_OF_AN_OPENING = 5
"""Shorter first turns are greetings, with which strangers begin as well."""

_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class Shared:
    """What rows of both parts have in common: its name, its values, and the first eval row of each."""

    name: str
    first: Mapping[str, Source]


@check("group-leakage", severity=Severity.WARN)
def rows_of_one_group(table: Table) -> Iterator[Finding]:
    """Rows to learn from of the same conversation, document, user or group as eval rows, so the model knows more than it should.

    Rows of one conversation or document share names, facts and style: a model that has seen some of them does better on the others than on
    new ones. Told by fields such as conversation_id, user_id or document that have many different values, and by conversations that open
    with the same question and the same answer. Only for a separate eval file.
    """
    if not table.examples or not table.eval:
        return
    fields = list(_shared_fields(table))
    opening = _shared_openings(table)
    if not fields and opening is None:
        return
    kinds = [*(shared.name for shared in fields), *([opening.name] if opening else [])]
    rows = tuple(_rows(table.examples, fields, opening))
    scored = sum(_common(example, fields, opening) is not None for example in table.eval)
    count = len(rows)
    told = several(count, "row", "rows")
    yield Finding(
        f"{scored} of {len(table.eval)} eval rows share their {', '.join(kinds)} with {count} {told} to learn from",
        "put all rows of a group into one part (data.split.group_by), or leave the rows to learn from out; the eval rows stay",
        rows,
    )


def names_a_group(name: str, value: object = "") -> bool:
    """Whether a field's name says that its values are conversations, users, documents or other groups of rows."""
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    if PROPERTIES.intersection(parts):
        return False
    if GROUPS.intersection(parts):
        return True
    plain_number = isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit())
    return bool(PLACES.intersection(parts)) and (bool(IDENTIFIERS.intersection(parts)) or not plain_number)


def _rows(learned: Rows, fields: list[Shared], opening: Shared | None) -> Iterator[Row]:
    for example in learned:
        common = _common(example, fields, opening)
        if common is not None:
            yield Row(example.source, of=common[1], note=common[0])


def _common(example: Example, fields: list[Shared], opening: Shared | None) -> tuple[str, Source] | None:
    """What the row shares with the other part, in words, and the first eval row that has it."""
    for shared in fields:
        value = _value(example, shared.name)
        if value is not None and value in shared.first:
            return f"{shared.name} {value[:80]}", shared.first[value]
    if opening is not None:
        began = _opening(example)
        if began is not None and began in opening.first:
            return f"the conversation begins: {began[:80]}", opening.first[began]
    return None


def _shared_fields(table: Table) -> Iterator[Shared]:
    for name in sorted(_field_names(table.examples) & _field_names(table.eval)):
        learned, scored = _values(table.examples, name), _values(table.eval, name)
        rows, different = learned.total() + scored.total(), len(learned.keys() | scored.keys())
        if different < FEWEST_VALUES or rows > ROWS_A_VALUE * different or (_are_numbered(learned) and _are_numbered(scored)):
            continue
        common = learned.keys() & scored.keys()
        if common:
            yield Shared(name, _first_rows(common, ((e, _value(e, name)) for e in table.eval)))


def _field_names(rows: Rows) -> set[str]:
    """The fields that could tell groups apart; a value is looked at only where the name alone does not say it."""
    seen = {(name, isinstance(value, int)): value for example in rows if example.metadata for name, value in example.metadata.items()}
    return {name for (name, _), value in seen.items() if names_a_group(name, value)}


def _values(rows: Rows, name: str) -> Counter[str]:
    return Counter(value for example in rows if (value := _value(example, name)) is not None)


def _value(example: Example, name: str) -> str | None:
    """The value of a field as text, where it has one that could name a group."""
    value = example.metadata.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return None if text.casefold() in NO_VALUE else text


def _are_numbered(values: Counter[str]) -> bool:
    """Whether the values only count the groups of a file, from 0 or 1 without a gap: then the same number is not the same group."""
    if not all(value.isdecimal() for value in values):
        return False
    numbers = {int(value) for value in values}
    return min(numbers, default=0) <= 1 and max(numbers, default=0) - min(numbers, default=0) == len(numbers) - 1


def _shared_openings(table: Table) -> Shared | None:
    """Openings of conversations that stand in both parts, in one of them at least with a turn after it."""
    if not any(example.history for part in table.parts for example in part):
        return None
    learned, scored = (Counter(began for example in part if (began := _opening(example)) is not None) for part in table.parts)
    gone_on = {_opening(example) for part in table.parts for example in part if example.history}
    # What many rows open with is an example given to the model, not a conversation.
    common = {began for began in learned.keys() & scored.keys() & gone_on if began and learned[began] + scored[began] <= ROWS_A_VALUE}
    return Shared("first turns", _first_rows(common, ((e, _opening(e)) for e in table.eval))) if common else None


def _opening(example: Example) -> str | None:
    """The first question and the first answer of the conversation, where the question is longer than a greeting."""
    if not example.history:
        question, answer = example.input, example.output
    elif len(example.history) > 1:
        question, answer = example.history[0].content, example.history[1].content
    else:
        return None
    return f"{question.strip()} / {answer.strip()}" if len(question.split()) >= WORDS_OF_AN_OPENING else None


def _first_rows(common: Iterable[str], rows: Iterable[tuple[Example, str | None]]) -> dict[str, Source]:
    """The first row of each of the values."""
    wanted = set(common)
    first: dict[str, Source] = {}
    for example, value in rows:
        if value is not None and value in wanted:
            first.setdefault(value, example.source)
    return first
