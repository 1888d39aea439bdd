"""Where each key of a case comes from: its line in the file, or the `--set` that gave it."""

from __future__ import annotations

from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
"""A key with the keys and list positions above it, outermost first: ("data", "split", "seed")."""

Origin = int | str
"""The line of a key in the file, from 1, or the override KEY=VALUE that gave it."""

KeyOrigins = dict[KeyPath, Origin]


def origin_of(key: Iterable[str | int], origins: KeyOrigins) -> Origin | None:
    """Where a key comes from, or the nearest key above it that the case has."""
    path = tuple(key)
    while path and path not in origins:
        path = path[:-1]
    return origins.get(path)
