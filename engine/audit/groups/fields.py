"""Metadata fields that identify a group of rows, recognised by their names, with their values counted over all rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.groups.numbering import Numbering, joined, numbering_of, restarts
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.groups import MISSING_VALUES, field_value, once_a_conversation

GROUP_WORDS = frozenset(
    "conversation conversations conv convo dialog dialogue thread session chat user author speaker customer client patient account "
    "doc document article group cluster family db database repo repository project".split()
)
"""Words in the name of a field whose values are groups."""

SOURCE_WORDS = frozenset(
    "source url uri link file filename path book chapter page paragraph passage context table video episode ticket".split()
)
"""Words that name where a row comes from. A plain number identifies nothing here: every book has a page 12."""

IDENTIFIED_WORDS = frozenset(
    "subject case visit encounter stay hadm admission story person member student employee company device order contract incident issue "
    "call parent problem household trial recording player match trip".split()
)
"""Words that name groups only beside a word of an identifier: `subject` alone is the first line of a mail."""

FEWEST_VALUES = 10
ROWS_A_VALUE = 50
"""A field identifies groups if it has ten values or more, and a value has fifty rows or fewer on average."""

FEWEST_NAMED = 3
ROWS_OF_NAMED = 1000
"""The same for a field that is named as the id of a conversation, a user or the like."""

IDENTIFIER_WORDS = frozenset("id ids uid uuid guid key hash".split())

PROPERTY_WORDS = frozenset(
    "type kind category lang language format count num total index position length len size age date day time timestamp created updated "
    "turn turns message prompt query text question answer response score rating version country city gender role model tokens words".split()
)
"""Words that name a property of a conversation or user, which many others share."""

_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class FieldValues:
    """The values of one field: how often each occurs, and whether each file numbers them from the start."""

    counts: DigestCounts
    within: DigestCounts
    """How often each value occurs in each file."""
    numberings: Mapping[str, Numbering | None]
    """By file; None if its values are not numbered."""

    @classmethod
    def of(cls, values: Mapping[str, list[str]]) -> FieldValues:
        """The counts of the values of each file."""
        return cls(
            DigestCounts.of(value for found in values.values() for value in found),
            DigestCounts.of(f"{file}\n{value}" for file, found in values.items() for value in found),
            {file: numbering_of(found) for file, found in values.items()},
        )

    def plus(self, later: FieldValues) -> FieldValues:
        """The values of both."""
        ours, theirs = self.numberings, later.numberings
        both = {file: joined(ours[file], theirs[file]) for file in ours.keys() & theirs.keys()}
        return FieldValues(self.counts.plus(later.counts), self.within.plus(later.within), {**ours, **theirs, **both})

    @property
    def groups(self) -> DigestCounts:
        """How many rows each group has: if numbers begin again in each file, a number is another group in another file."""
        return self.within if restarts(self.numberings.values()) else self.counts


@dataclass(frozen=True)
class Fields:
    """The fields of some rows that may identify groups."""

    plain: Mapping[tuple[str, bool], bool]
    """By field, and whether the value is an integer: whether the last such value is a plain number."""
    values: Mapping[str, FieldValues]

    @classmethod
    def of(cls, rows: Rows) -> Fields:
        """The fields of these rows."""
        named = (each for example in rows if example.metadata for each in named_values(example.metadata))
        last = {(name, isinstance(value, int)): value for name, value in named}
        found: dict[str, dict[str, list[str]]] = {name: {} for name, _ in last if names_a_group(name)}
        for example in once_a_conversation(rows) if found else ():
            for name, values in found.items():
                if (value := group_value(example, name)) is not None:
                    values.setdefault(example.source.file, []).append(value)
        plain = {key: is_plain_number(value) for key, value in last.items() if key[0] in found}
        return cls(plain, {name: FieldValues.of(values) for name, values in found.items() if values})

    def plus(self, later: Fields) -> Fields:
        """The fields of both."""
        values = dict(self.values)
        for name, more in later.values.items():
            values[name] = values[name].plus(more) if name in values else more
        return Fields({**self.plain, **later.plain}, values)

    @property
    def names(self) -> set[str]:
        """The fields that identify groups. The value decides only if the name does not."""
        return {name for (name, _), plain in self.plain.items() if names_a_group(name, plain_number=plain)}


@aggregate
@dataclass(frozen=True)
class GroupFields:
    """The fields of both parts, and by field and value the first eval row that has the value."""

    examples: Fields
    eval: Fields
    first: Mapping[str, Mapping[str, Source]]

    @classmethod
    def of(cls, table: Table) -> GroupFields:
        eval_fields = Fields.of(table.eval)
        first: dict[str, dict[str, Source]] = {name: {} for name in eval_fields.values}
        for name, rows in first.items():
            for example in table.eval:
                if (value := group_value(example, name)) is not None:
                    rows.setdefault(value, example.source)
        return cls(Fields.of(table.examples), eval_fields, first)

    def plus(self, later: GroupFields) -> GroupFields:
        names = self.first.keys() | later.first.keys()
        first = {name: {**later.first.get(name, {}), **self.first.get(name, {})} for name in names}
        return GroupFields(self.examples.plus(later.examples), self.eval.plus(later.eval), first)


def names_a_group(name: str, *, plain_number: bool = False) -> bool:
    """Whether the name of a field says that its values are conversations, users, documents or other groups of rows."""
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    if PROPERTY_WORDS.intersection(parts):
        return False
    identified = bool(IDENTIFIER_WORDS.intersection(parts))
    if GROUP_WORDS.intersection(parts) or (identified and IDENTIFIED_WORDS.intersection(parts)):
        return True
    return bool(SOURCE_WORDS.intersection(parts)) and (identified or not plain_number)


def named_values(metadata: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The fields of a row, and those of objects in them as `a.b`."""
    for name, value in metadata.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def is_plain_number(value: object) -> bool:
    """Whether a value is a whole number, as a number or as text."""
    return isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit())


def group_value(example: Example, name: str) -> str | None:
    """The value of a field as text; None if it is missing or cannot name a group."""
    value = field_value(example.metadata, name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return None if text.casefold() in MISSING_VALUES else text


def are_groups(name: str, rows: int, different: int) -> bool:
    """Whether so many different values over so many rows identify groups: `source: web` does not."""
    parts = {part.lower() for part in _NAME_PARTS.findall(name)}
    named = bool(IDENTIFIER_WORDS & parts) and bool((GROUP_WORDS | IDENTIFIED_WORDS) & parts)
    fewest, most = (FEWEST_NAMED, ROWS_OF_NAMED) if named else (FEWEST_VALUES, ROWS_A_VALUE)
    return different >= fewest and rows <= most * different
