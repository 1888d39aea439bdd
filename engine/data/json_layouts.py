"""Where the rows are in a JSON document that is an object: in one list, in a list for each part, by columns, or by ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.data.eval_sets import eval_sets
from tuneproof.engine.data.notes import NotRead
from tuneproof.engine.data.parts import Part, part_of_name, parts_of
from tuneproof.engine.data.shapes import detect_shape

SPACE = " \t\r\n"

MOST_LEVELS = 4
"""Objects inside each other in which a list of rows is looked for."""


@dataclass(frozen=True)
class RowList:
    """A list of rows in the text of a document."""

    start: int
    """The character of its bracket."""
    part: Part | None = None
    """The part that its key says, besides train."""


@dataclass(frozen=True)
class RowLists:
    """The lists that hold the rows of a document."""

    lists: list[RowList]
    not_read: tuple[NotRead, ...] = ()


def row_lists(value: dict[str, Any], text: str, start: int, levels: int = MOST_LEVELS) -> RowLists | None:
    """The lists of rows in an object that begins at a character: several that are called train, validation or test, or one.

    Of several others it is the only one whose rows have a known shape.

    None if the object is a row itself, or if it cannot be told which list has the rows.
    """
    lists = {key: items for key, items in value.items() if isinstance(items, list) and any(isinstance(each, dict) for each in items)}
    if detect_shape(value) is not None or not levels:
        return None
    places = dict(_members(text, start))
    named = [key for key in lists if part_of_name(key) is not None]
    shaped = [key for key, items in lists.items() if any(isinstance(each, dict) and detect_shape(each) for each in items[:1])]
    inner = [key for key, item in value.items() if isinstance(item, dict)]
    if not shaped and (eval_cases := _eval_cases(value, text, places, levels)) is not None:
        return eval_cases
    if len(lists) == 1 or len(named) > 1 or len(shaped) == 1:
        taken = parts_of({key: [key] for key in (named if len(named) > 1 else shaped if len(shaped) == 1 else lists)})
        found = [RowList(places[key], part if part is not Part.TRAIN else None) for key, part in taken.items()]
        left = tuple(NotRead(f"the list `{key[:60]}` beside the rows", len(items)) for key, items in lists.items() if key not in taken)
        return RowLists(found, left)
    if lists or not inner:
        return None
    inside = [lists_in for key in inner if (lists_in := row_lists(value[key], text, places[key], levels - 1)) is not None]
    return inside[0] if len(inside) == 1 else None


def _eval_cases(value: dict[str, Any], text: str, places: dict[str, int], levels: int) -> RowLists | None:
    """The one list of an eval set's cases in the objects inside, which has lists of settings beside it; None if there is none."""
    found = []
    for key, item in value.items():
        if isinstance(item, dict) and levels:
            inside = dict(_members(text, places[key]))
            found += [
                RowLists([RowList(inside[name])])
                for name, rows in item.items()
                if isinstance(rows, list) and rows and isinstance(rows[0], dict) and any(shape.has(rows[0]) for shape in eval_sets())
            ]
            found += [deeper] if (deeper := _eval_cases(item, text, inside, levels - 1)) is not None else []
    return found[0] if len(found) == 1 else None


def rows_by_columns_or_ids(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of an object that has a list for each column, an object for each column or each row, or pandas' `split` form; None else."""
    if _is_split(value):
        return [dict(zip(value["columns"], row, strict=True)) for row in value["data"]]
    items = list(value.values())
    if len(items) > 1 and all(isinstance(item, list) and item for item in items) and len(set(map(len, items))) == 1:
        if any(isinstance(each, dict) for item in items for each in item):
            return None
        return [dict(zip(value, row, strict=True)) for row in zip(*items, strict=True)]
    if len(items) < 2 or not all(isinstance(item, dict) and item for item in items):
        return None
    if all(detect_shape(item) is not None for item in items) or all(map(str.isdigit, value)):
        return [row if "id" in row else {**row, "id": key} for key, row in value.items()]
    if all(item.keys() == items[0].keys() for item in items) and all(map(str.isdigit, items[0])):
        return [{name: column[key] for name, column in value.items()} for key in items[0]]
    return None


def _is_split(value: dict[str, Any]) -> bool:
    columns, rows = value.get("columns"), value.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(isinstance(name, str) for name in columns):
        return False
    return bool(rows) and all(isinstance(row, list) and len(row) == len(columns) for row in rows)


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The keys of a well-formed object that begins at a character, each with the place of its value."""
    decoder = json.JSONDecoder()
    at = skip(text, start + 1, SPACE)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = skip(text, at, SPACE + ":")
        yield key, at
        _, at = decoder.raw_decode(text, at)
        at = skip(text, at, SPACE + ",")


def skip(text: str, at: int, characters: str) -> int:
    """The first place from one on whose character is none of these."""
    while at < len(text) and text[at] in characters:
        at += 1
    return at
