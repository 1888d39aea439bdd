"""Metadata fields that identify a group of rows, recognised by their names, with their values counted over all rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GROUP_WORDS = frozenset(
    "conversation conversations conv convo dialog dialogue thread session chat user author speaker customer client patient account "
    "doc document article group cluster family db database repo repository project".split()
)
"""Words in the name of a field whose values are groups."""

SOURCE_WORDS = frozenset(
    "source url uri link file filename path book chapter page paragraph passage context table video episode ticket".split()
)
"""Words that name where a row comes from. A plain number identifies nothing here: every book has a page 12."""

IDENTIFIER_WORDS = frozenset("id ids uid uuid guid key hash".split())

PROPERTY_WORDS = frozenset(
    "type kind category lang language format count num total index position length len size age date day time timestamp created updated "
    "turn turns message prompt query text question answer response score rating version country city gender role model tokens words".split()
)
"""Words that name a property of a conversation or user, which many others share."""

MISSING_VALUES = frozenset(("", "-", "0", "none", "null", "nan", "n/a", "na", "unknown", "anonymous", "other"))

_LARGEST = 1 << 62

_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True)
class FieldValues:
    """The values of one field: how often each occurs, and the values as numbers."""

    counts: DigestCounts
    numbers: NDArray[np.int64] | None
    """The different values in rising order; None if any of them is not a number."""

    @classmethod
    def of(cls, values: list[str]) -> FieldValues:
        """The counts of these values."""
        import numpy as np

        numbered = all(value.isdecimal() for value in values) and all(int(value) < _LARGEST for value in set(values))
        return cls(DigestCounts.of(values), np.unique(np.array([int(value) for value in set(values)], np.int64)) if numbered else None)

    def plus(self, later: FieldValues) -> FieldValues:
        """The values of both."""
        import numpy as np

        both = None if self.numbers is None or later.numbers is None else np.union1d(self.numbers, later.numbers)
        return FieldValues(self.counts.plus(later.counts), both)

    @property
    def are_numbered(self) -> bool:
        """Whether the values number the groups of a file, from 0 or 1 without a gap: then a number means another group in another file."""
        numbers = self.numbers
        return numbers is not None and bool(numbers[0] <= 1 and numbers[-1] - numbers[0] == len(numbers) - 1)


@dataclass(frozen=True)
class Fields:
    """The fields of some rows that may identify groups."""

    plain: Mapping[tuple[str, bool], bool]
    """By field, and whether the value is an integer: whether the last such value is a plain number."""
    values: Mapping[str, FieldValues]

    @classmethod
    def of(cls, rows: Rows) -> Fields:
        """The fields of these rows."""
        last = {(name, isinstance(value, int)): value for example in rows if example.metadata for name, value in example.metadata.items()}
        found: dict[str, list[str]] = {name: [] for name, _ in last if names_a_group(name)}
        for example in rows if found else ():
            for name in found.keys() & example.metadata.keys():
                if (value := group_value(example, name)) is not None:
                    found[name].append(value)
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
    if GROUP_WORDS.intersection(parts):
        return True
    return bool(SOURCE_WORDS.intersection(parts)) and (bool(IDENTIFIER_WORDS.intersection(parts)) or not plain_number)


def is_plain_number(value: object) -> bool:
    """Whether a value is a whole number, as a number or as text."""
    return isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit())


def group_value(example: Example, name: str) -> str | None:
    """The value of a field as text; None if it is missing or cannot name a group."""
    value = example.metadata.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return None if text.casefold() in MISSING_VALUES else text
