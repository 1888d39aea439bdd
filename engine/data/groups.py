"""Groups of rows that belong together: those of one conversation, customer, document or file, kept in one part of a split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from tuneproof.engine.data.example import Example, duplicate_key, norm
from tuneproof.engine.data.spaceless import words_of

WORDS_OF_AN_OPENING = 5
"""Shorter requests are greetings, which unrelated conversations share."""

MISSING_VALUES = frozenset(("", "-", "none", "null", "nan", "n/a", "na", "unknown", "anonymous", "other"))
"""What is written where a field has no value."""


class Grouping(StrEnum):
    """Ways to group rows other than by a field, as `data.split.group_by` names them. A field of that name has precedence."""

    FIRST_TURNS = "first_turns"
    """Conversations that begin with the same request and the same answer."""
    FILE = "file"


def field_value(metadata: Mapping[str, Any], name: str) -> object:
    """The value of a field; `a.b` is the field b of the object a. None if the row has no such field."""
    if name in metadata or "." not in name:
        return metadata.get(name)
    value: object = metadata
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def group_of(example: Example, group_by: str) -> str | None:
    """The group of a row as text that no other grouping has; None if the row does not say."""
    value = field_value(example.metadata, group_by)
    if isinstance(value, str):
        return None if value.strip().casefold() in MISSING_VALUES else "group " + json.dumps(value)
    if value is not None:
        return "group " + json.dumps(value, sort_keys=True, default=str)
    match group_by:
        case Grouping.FIRST_TURNS:
            return "first turns " + (opening_of(example) or "\n".join(f"{asked} / {said}" for asked, said in exchanges(example)))
        case Grouping.FILE:
            return "file " + example.source.file
    return None


def alone(example: Example) -> str:
    """The group of a row that belongs to no other: its conversation, where each turn is an example, or the text of its duplicates."""
    return f"conversation {example.conversation}" if example.conversation else f"text {duplicate_key(example)}"


def once_a_conversation(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples, but of a conversation whose every turn is one only the first: its turns stay together in any split."""
    last = ""
    for example in examples:
        if not example.conversation or example.conversation != last:
            yield example
        last = example.conversation


def exchanges(example: Example) -> Iterator[tuple[str, str]]:
    """The requests of a conversation, each with its answer, under `norm`; the last is the row's own."""
    asked: str | None = None
    for turn in example.history:
        if turn.role == "user":
            asked = turn.content
        elif turn.role == "assistant" and asked is not None:
            yield norm(asked), norm(turn.content)
            asked = None
    yield norm(example.input), norm(example.output)


def opening_of(example: Example) -> str | None:
    """The first exchange of a conversation whose request is longer than a greeting; None if none is.

    Where each turn is an example, it is the first exchange of all, which every turn has.
    """
    for asked, said in exchanges(example):
        if example.conversation:
            return f"{asked} / {said}"
        if len(words_of(asked)) >= WORDS_OF_AN_OPENING:
            return f"{asked} / {said}"
    return None
