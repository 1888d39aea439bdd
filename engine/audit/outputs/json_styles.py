"""How JSON outputs are written: their white space, the order of their keys, and numbers with or without quotes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source

MOST_ORDERED_KEYS = 50
"""With more different keys than this, outputs are maps whose keys are data and have no order."""

_FIRST_KEY = re.compile(r'[\s\[{]*"(?:[^"\\]|\\.)*"\s*:( ?)')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Spacing(StrEnum):
    """The white space of a document."""

    COMPACT = "compact"
    SPACED = "on one line with spaces"
    INDENTED = "over several lines"


class NumberStyle(StrEnum):
    """How a key writes its numbers."""

    BARE = "bare"
    QUOTED = "quoted"


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How one output is written. Keys are those of the outermost object, or of the first object in a list."""

    at: Source
    spacing: Spacing | None
    keys: tuple[str, ...]
    bare: tuple[str, ...]
    """The keys whose values are numbers."""
    quoted: tuple[str, ...]
    """The keys whose values are numbers in quotes."""

    def numbers(self) -> Iterator[tuple[str, NumberStyle]]:
        """Each key with a number, and how the number is written."""
        yield from ((key, NumberStyle.BARE) for key in self.bare)
        yield from ((key, NumberStyle.QUOTED) for key in self.quoted)


@aggregate
@dataclass(frozen=True)
class JsonStyles:
    """How many outputs are JSON objects, and how often each way of writing them occurs."""

    outputs: int
    spacing: Counter[Spacing]
    orders: Counter[tuple[str, ...]] | None
    """Orders of keys; None if keys are data."""
    numbers: Counter[tuple[str, NumberStyle]]

    @classmethod
    def of(cls, table: Table) -> JsonStyles:
        styles = table.once(styles_of)
        return cls(
            len(styles),
            Counter(style.spacing for style in styles if style.spacing),
            _of_few_keys(Counter(style.keys for style in styles)),
            Counter(number for style in styles for number in style.numbers()),
        )

    def plus(self, later: JsonStyles) -> JsonStyles:
        orders = None if self.orders is None or later.orders is None else _of_few_keys(self.orders + later.orders)
        return JsonStyles(self.outputs + later.outputs, self.spacing + later.spacing, orders, self.numbers + later.numbers)

    def usual_orders(self) -> dict[frozenset[str], tuple[str, ...]]:
        """The most frequent order of each set of keys."""
        usual: dict[frozenset[str], tuple[str, ...]] = {}
        for keys, _ in (self.orders or Counter()).most_common():
            usual.setdefault(frozenset(keys), keys)
        return usual

    def usual_numbers(self) -> dict[str, NumberStyle]:
        """For keys whose numbers occur in both styles, the more frequent one."""
        both = {key for key, _ in self.numbers if all((key, style) in self.numbers for style in NumberStyle)}
        usual: dict[str, NumberStyle] = {}
        for (key, style), _ in self.numbers.most_common():
            if key in both:
                usual.setdefault(key, style)
        return usual


def styles_of(table: Table) -> list[JsonStyle]:
    """The styles of all outputs that are JSON objects or lists of them."""
    return [style for e in chain(table.examples, table.eval) if (style := style_of(e.output, e.source))]


def style_of(output: str, at: Source) -> JsonStyle | None:
    """The style of an output that is a JSON object or a list of objects; None for others."""
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
    return JsonStyle(at, _spacing(output.strip()), tuple(first), bare, quoted)


def _spacing(text: str) -> Spacing | None:
    # JSON strings have no line breaks.
    if "\n" in text:
        return Spacing.INDENTED
    key = _FIRST_KEY.match(text)
    if key is None:
        return None
    return Spacing.SPACED if key[1] else Spacing.COMPACT


def _of_few_keys(orders: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]] | None:
    return orders if len({key for keys in orders for key in keys}) <= MOST_ORDERED_KEYS else None
