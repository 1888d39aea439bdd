"""JSON outputs that are written in more than one way."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source

MOST_KEYS = 50
"""Outputs with more different keys than this are maps from one thing to another, whose keys are data and in no order."""

_FIRST_KEY = re.compile(r'[\s\[{]*"(?:[^"\\]|\\.)*"\s*:( ?)')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Spacing(StrEnum):
    """How white space stands in a document."""

    COMPACT = "compact"
    SPACED = "on one line with spaces"
    INDENTED = "over several lines"


@dataclass(frozen=True, slots=True)
class Style:
    """How one output is written: its white space, the order of its keys, and the keys whose values are numbers, bare or in quotes."""

    at: Source
    spacing: Spacing | None
    keys: tuple[str, ...]
    bare: tuple[str, ...]
    quoted: tuple[str, ...]


@check("json-style", severity=Severity.INFO)
def inconsistent_json(table: Table) -> Iterator[Finding]:
    """JSON outputs written otherwise than most: other white space, another order of the keys, or numbers in quotes.

    They mean the same, but the model has to guess which way is wanted, and spends on that what it should spend on the answer. Told where
    most outputs are JSON objects; keys are those of the outermost object, or of the first one in a list.
    """
    usual = table.count(Styles)
    if 2 * usual.outputs <= table.count(Size).rows:
        return
    rows = tuple(_differing(table.once(_styles), usual))
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} JSON {several(count, 'output is', 'outputs are')} written otherwise than most",
            "write all outputs with one program and the same options",
            rows,
        )


@aggregate
@dataclass(frozen=True)
class Styles:
    """How many outputs are JSON objects, and how often each way of writing them occurs; no orders where keys are data.

    `numbers` counts keys whose values are numbers, with whether they are in quotes.
    """

    outputs: int
    spacing: Counter[Spacing]
    orders: Counter[tuple[str, ...]] | None
    numbers: Counter[tuple[str, str]]

    @classmethod
    def of(cls, table: Table) -> Styles:
        styles = table.once(_styles)
        return cls(
            len(styles),
            Counter(style.spacing for style in styles if style.spacing),
            _of_few_keys(Counter(style.keys for style in styles)),
            Counter(number for style in styles for number in _numbers(style)),
        )

    def plus(self, later: Styles) -> Styles:
        orders = None if self.orders is None or later.orders is None else _of_few_keys(self.orders + later.orders)
        return Styles(self.outputs + later.outputs, self.spacing + later.spacing, orders, self.numbers + later.numbers)


def _styles(table: Table) -> list[Style]:
    return [style for e in chain(table.examples, table.eval) if (style := style_of(e.output, e.source))]


def _of_few_keys(orders: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]] | None:
    return orders if len({key for keys in orders for key in keys}) <= MOST_KEYS else None


def _numbers(style: Style) -> Iterator[tuple[str, str]]:
    yield from ((key, "bare") for key in style.bare)
    yield from ((key, "quoted") for key in style.quoted)


def style_of(output: str, at: Source) -> Style | None:
    """The style of an output that is a JSON object or a list of objects; of others none."""
    if output.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        return None
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict):
        return None
    bare = tuple([key for key, inner in first.items() if type(inner) in (int, float)])
    quoted = tuple([key for key, inner in first.items() if type(inner) is str and _NUMBER.fullmatch(inner)])
    return Style(at, _spacing(output.strip()), tuple(first), bare, quoted)


def _spacing(text: str) -> Spacing | None:
    # Inside strings JSON has no line breaks.
    if "\n" in text:
        return Spacing.INDENTED
    key = _FIRST_KEY.match(text)
    if key is None:
        return None
    return Spacing.SPACED if key[1] else Spacing.COMPACT


def _differing(styles: Sequence[Style], all_: Styles) -> Iterator[Row]:
    spacing = next((value for value, _ in all_.spacing.most_common(1)), None)
    order = _usual_order(all_.orders or Counter())
    numbers = _usual_numbers(all_.numbers)
    for style in styles:
        notes = []
        if style.spacing and style.spacing is not spacing:
            notes.append(f"{style.spacing}, most are {spacing}")
        usual = order.get(frozenset(style.keys), style.keys)
        if style.keys != usual:
            notes.append(f"keys in the order {_named(style.keys)}, most have {_named(usual)}")
        notes += [f"`{key}` is a number without quotes, most have quotes" for key in style.bare if numbers.get(key) == "quoted"]
        notes += [f"`{key}` is a number in quotes, most have none" for key in style.quoted if numbers.get(key) == "bare"]
        if notes:
            yield Row(style.at, note="; ".join(notes))


def _usual_order(orders: Counter[tuple[str, ...]]) -> dict[frozenset[str], tuple[str, ...]]:
    """The commonest order of each set of keys."""
    usual: dict[frozenset[str], tuple[str, ...]] = {}
    for keys, _ in orders.most_common():
        usual.setdefault(frozenset(keys), keys)
    return usual


def _usual_numbers(numbers: Counter[tuple[str, str]]) -> dict[str, str]:
    """Of keys whose numbers stand both in quotes and without: which of the two is commoner."""
    both = {key for key, _ in numbers if (key, "bare") in numbers and (key, "quoted") in numbers}
    usual: dict[str, str] = {}
    for (key, way), _ in numbers.most_common():
        if key in both:
            usual.setdefault(key, way)
    return usual


def _named(keys: Sequence[str]) -> str:
    return ", ".join(keys[:6]) + (", ..." if len(keys) > 6 else "")
