"""Where each key of a case comes from: its line in the file, or the `--set` that gave it."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from tuneproof.engine.core.errors import CaseError

KeyPath = tuple[str | int, ...]
"""A key with the keys and list positions above it, outermost first: ("data", "split", "seed")."""

Origin = int | str
"""The line of a key in the file, from 1, or the override KEY=VALUE that gave it."""

KeyOrigins = dict[KeyPath, Origin]


def key_lines(node: yaml.Node | None, at: KeyPath = ()) -> KeyOrigins:
    """The line of each key below a YAML node. Raises CaseError for a key that a mapping has twice."""
    lines: KeyOrigins = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, key.value)
            line = key.start_mark.line + 1
            if path in lines:
                raise CaseError(f"the key `{key.value}` occurs twice", where=f"line {line}", fix="keep one")
            lines[path] = line
            lines |= key_lines(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            lines |= key_lines(value, (*at, index))
    return lines


def origin_of(key: Iterable[str | int], origins: KeyOrigins) -> Origin | None:
    """Where a key comes from, or the nearest key above it that the case has."""
    path = tuple(key)
    while path and path not in origins:
        path = path[:-1]
    return origins.get(path)
