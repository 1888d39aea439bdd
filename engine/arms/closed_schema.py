"""A JSON Schema for constrained decoding: fields in the order of the train outputs, and no unknown fields.

Every value that the new schema allows is also valid under the original. A decoder writes fields in the order of the schema, and a model
that was trained on, or shown, another order would be forced into a form that it does not know. An object that allows unknown fields lets a
model write fields without end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tuneproof.engine.arms.date_formats import exact_format

MAX_FIELDS = 50
"""An object with more different keys than this is a map, whose keys are data."""

MAX_NUMBER = 1e15
"""Limit for numbers without bounds, which keeps out exponents: 1e999 is valid JSON but no parser can represent it."""

COMBINATORS = ("allOf", "anyOf", "oneOf")
FIELD_KEYWORDS = {"type", "properties", "required", "title", "description"}
"""The keywords of an object schema that names all its fields."""
OPEN_KEYWORDS = (*COMBINATORS, "$ref", "patternProperties", "minProperties", "unevaluatedProperties", "propertyNames")
"""Keywords that allow or require fields other than those under `properties`."""


def closed_schema(schema: dict[str, Any], values: Sequence[Any]) -> dict[str, Any]:
    """The schema with its fields in the order of `values`, and closed to the fields that it or the values name.

    All `values` that are valid under `schema` stay valid.
    """
    copy = json.loads(json.dumps(schema))
    observed = ObservedValues(copy)
    for value in values:
        observed.walk(copy, value)
    rewritten = _rewritten(copy, observed)
    assert isinstance(rewritten, dict)
    return rewritten


class ObservedValues:
    """The values that each node of a schema applies to, and which nodes are parts of others, by the `id` of the node.

    A part is one of several nodes that apply to the same object: under `allOf`, or next to a `$ref`, `anyOf` or `oneOf`. A part cannot be
    closed, because the others may name fields of the same object.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.values: dict[int, list[Any]] = {}
        self.parts: set[int] = set()
        self._met: set[tuple[int, int]] = set()
        self._find_parts(root)

    def walk(self, node: Any, value: Any) -> None:
        """Records a value for a node and its children for the nodes below."""
        if not isinstance(node, dict) or (id(node), id(value)) in self._met:
            return
        self._met.add((id(node), id(value)))
        self.values.setdefault(id(node), []).append(value)
        for other in self.same_value(node):
            self.walk(other, value)
        if isinstance(value, dict):
            self._walk_object(node, value)
        elif isinstance(value, list):
            self._walk_array(node, value)
        if not isinstance(value, dict | list):
            # An object or list has nothing new for a node that it met before, and there may be exponentially many ways to it; equal texts
            # and numbers may be one value in memory.
            self._met.discard((id(node), id(value)))

    def same_value(self, node: dict[str, Any]) -> list[Any]:
        """The other nodes that apply to the same value."""
        referred = self._resolve(node.get("$ref"))
        return [
            *([referred] if isinstance(referred, dict) else []),
            *(branch for word in COMBINATORS for branch in _listed(node.get(word))),
        ]

    def _find_parts(self, node: Any) -> None:
        if isinstance(node, dict):
            if "allOf" in node or (len(node) > 1 and any(word in node for word in ("$ref", "anyOf", "oneOf"))):
                for other in self.same_value(node):
                    self._mark_part(other)
            for inner in node.values():
                self._find_parts(inner)
        elif isinstance(node, list):
            for inner in node:
                self._find_parts(inner)

    def _mark_part(self, node: Any) -> None:
        if isinstance(node, dict) and id(node) not in self.parts:
            self.parts.add(id(node))
            for other in self.same_value(node):
                self._mark_part(other)

    def _walk_object(self, node: dict[str, Any], value: dict[str, Any]) -> None:
        properties = node.get("properties")
        known = properties if isinstance(properties, dict) else {}
        for key, inner in value.items():
            self.walk(known.get(key, node.get("additionalProperties")), inner)

    def _walk_array(self, node: dict[str, Any], value: list[Any]) -> None:
        first = _listed(node.get("prefixItems"))
        for at, inner in enumerate(value):
            self.walk(first[at] if at < len(first) else node.get("items"), inner)

    def _resolve(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        node: Any = self.root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, dict) else None
        return node


def _rewritten(node: Any, observed: ObservedValues) -> Any:
    if isinstance(node, list):
        return [_rewritten(item, observed) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: inner if key in ("const", "enum", "default", "examples") else _rewritten(inner, observed) for key, inner in node.items()}
    values = observed.values.get(id(node), [])
    if node.get("type") == "number" and not any("imum" in key for key in node) and all(_is_within(value) for value in values):
        new |= {"minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
    if pattern := exact_format(node, values):
        new = {key: inner for key, inner in new.items() if key != "format"} | pattern
    objects = [value for value in values if isinstance(value, dict)]
    order = key_order(objects)
    named = new.get("properties") if isinstance(new.get("properties"), dict) else {}
    if named:
        new["properties"] = {key: named[key] for key in [*(k for k in order if k in named), *(k for k in named if k not in order)]}
        if objects and len(objects) == len(values) and not any(word in node for word in ("type", "$ref", *COMBINATORS)):
            new["type"] = "object"
    return new | _closed(new, order) if id(node) not in observed.parts else new


def _is_within(value: Any) -> bool:
    return not isinstance(value, int | float) or abs(value) <= MAX_NUMBER


def _closed(node: dict[str, Any], order: list[str]) -> dict[str, Any]:
    """The keywords that close an object; empty if it is closed, is a map, or may have fields that it does not name."""
    node = _with_parts(node)
    named = node.get("properties", {})
    if node.get("type") != "object" or node.get("additionalProperties", True) is not True or any(word in node for word in OPEN_KEYWORDS):
        return {}
    fields = list(dict.fromkeys([*order, *named, *_listed(node.get("required"))]))
    if not 0 < len(fields) <= MAX_FIELDS:
        return {}
    return {"properties": {key: named.get(key, {}) for key in fields}, "additionalProperties": False}


def _with_parts(node: dict[str, Any]) -> dict[str, Any]:
    """The object schema with the fields of its `allOf`, if every part only names fields.

    The parts themselves keep constraining the values of these fields.
    """
    parts = _listed(node.get("allOf"))
    if not parts or not all(isinstance(part, dict) and part.keys() <= FIELD_KEYWORDS for part in parts):
        return node
    if not any(place.get("type") == "object" for place in (node, *parts)):
        return node
    keys = [key for part in parts for key in [*part.get("properties", {}), *_listed(part.get("required"))]]
    rest = {key: inner for key, inner in node.items() if key != "allOf"}
    return rest | {"type": "object", "properties": {key: {} for key in keys} | node.get("properties", {})}


def key_order(objects: Iterable[dict[str, Any]]) -> list[str]:
    """All keys in one order: that of the most common sequence, with each other key inserted after its predecessor in its own sequence."""
    order: list[str] = []
    for keys, _ in sorted(Counter(tuple(value) for value in objects).items(), key=lambda found: -found[1]):
        after = 0
        for key in keys:
            if key not in order:
                order.insert(after, key)
            after = order.index(key) + 1
    return order


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
