"""Cells of rows as text, and the errors of rows that cannot become examples."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from tuneproof.engine.data.binary_text import NoText
from tuneproof.engine.data.problems import BadTurns, NothingToLearn, RowProblem, UnreadableRow

MOST_LABEL_CHARACTERS = 60
"""Longest output that many rows may share."""


class RowError(ValueError):
    """A row cannot become an example."""

    def problem(self) -> RowProblem:
        """The error as data, for the audit to report."""
        return UnreadableRow(str(self))


class TurnError(RowError):
    """The turns of a conversation do not end with an answer to a user's turn."""

    def problem(self) -> RowProblem:
        return BadTurns(str(self))


class NotToLearn(RowError):
    """The data themselves say that nothing of the row is to be learned."""

    def problem(self) -> RowProblem:
        return NothingToLearn(str(self))


def text_cell(row: Mapping[str, Any], key: str, *, required: bool = True) -> str:
    """The value of a key as text: numbers and booleans as JSON, null as an empty string. Raises RowError for anything else."""
    value = row.get(key)
    if value is None:
        if required:
            raise RowError(f"`{key}` is missing")
        return ""
    return text_of(value, key)


def text_of(value: Any, name: str) -> str:
    """A value as text, as `text_cell` does; `name` is what the error calls it."""
    if isinstance(value, NoText):
        raise RowError(f"`{name}` {value.reason}")
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise RowError(f"`{name}` has half a surrogate pair, which is not a character")
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise RowError(f"`{name}` is not text")


def output_cell(row: Mapping[str, Any], key: str) -> str:
    """The value of a key as text, with an object or a list as JSON. Raises RowError as `text_cell` does."""
    value = row.get(key)
    if not isinstance(value, dict | list):
        return shared_label(text_cell(row, key))
    require_text(value, key)
    return json.dumps(value, ensure_ascii=False)


def require_text(value: Any, name: str) -> None:
    """Raises RowError if a value, or one inside it, is no text."""
    if isinstance(value, NoText):
        raise RowError(f"`{name}` {value.reason}")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            require_text(item, name)


def shared_label(output: str) -> str:
    """The output; equal short ones are one object, so that a label takes no memory in each row."""
    return sys.intern(output) if len(output) <= MOST_LABEL_CHARACTERS else output


def object_of(value: Any, name: str) -> Mapping[str, Any]:
    """A value as an object; null as an empty one. Raises RowError for anything else."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise RowError(f"`{name[:60]}` is not an object")


def list_of(value: Any, name: str) -> list[Any]:
    """A value as a list; null as an empty one. Raises RowError for anything else."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise RowError(f"`{name[:60]}` is not a list")


def objects_of(value: Any, name: str) -> list[Mapping[str, Any]]:
    """A value as a list of objects; null as an empty one. Raises RowError for anything else."""
    return [object_of(part, name) for part in list_of(value, name)]
