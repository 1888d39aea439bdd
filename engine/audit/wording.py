"""Words that messages of findings share: the form for one or many, and lists that stay short."""

from __future__ import annotations

from collections.abc import Iterable


def plural(count: int, one: str, many: str) -> str:
    """The form of a word that fits a number."""
    return one if count == 1 else many


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    all_names = list(names)
    more = f" and {len(all_names) - most} more" if len(all_names) > most else ""
    return ", ".join(all_names[:most]) + more
