"""Paths into the nested values of a row: `annotations.0.result.0.value.choices.0`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tuneproof.engine.data.cells import RowError

MOST_LEVELS = 8
"""Values inside each other whose paths are listed."""


def is_path(name: str) -> bool:
    """Whether a name may be a path; it may also be the name of a column with dots."""
    return "." in name


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """The value at a path: names of keys, and positions in lists from 0, with dots between them.

    A key that has dots itself goes before a path, at every level. JSON in a text is looked into, as exports to CSV have it. Null where
    a value on the way is null. Raises RowError if the row has nothing there.
    """
    value: Any = row
    left = path.split(".")
    while left and value is not None:
        value = _document(value)
        step, used = _step(value, left)
        if not used:
            before = ".".join(path.split(".")[: -len(left)])
            raise RowError(f"`{path}` is missing: {f'`{before}`' if before else 'the row'} {_what_it_has(value, left[0])}")
        value, left = step, left[used:]
    return value


def _step(value: Any, names: list[str]) -> tuple[Any, int]:
    """The value under the next names, and how many of them it takes; none if there is no such value."""
    if isinstance(value, Mapping):
        for used in range(len(names), 0, -1):
            if (key := ".".join(names[:used])) in value:
                return value[key], used
    if isinstance(value, list) and names[0].isdecimal() and int(names[0]) < len(value):
        return value[int(names[0])], 1
    return None, 0


def _document(value: Any) -> Any:
    """The JSON in a text, or the value itself."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _what_it_has(value: Any, name: str) -> str:
    if isinstance(value, Mapping):
        return f"has no `{name[:60]}`"
    if isinstance(value, list):
        return f"is a list of {len(value):,}, counted from 0"
    return "is no object and no list"


def leaf_paths(name: str, value: Any, levels: int = MOST_LEVELS) -> Iterator[tuple[str, Any]]:
    """The paths to the texts and numbers in a nested value, of a list only to those in its first element."""
    if isinstance(value, dict) and levels:
        for key, item in value.items():
            yield from leaf_paths(f"{name}.{key}", item, levels - 1)
    elif isinstance(value, list) and levels:
        for item in value[:1]:
            yield from leaf_paths(f"{name}.0", item, levels - 1)
    elif value is not None:
        yield name, value
