"""A JSON Schema for constrained decoding whose strings, lists and numbers end: bounds of train where the schema leaves them open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuneproof.engine.arms.closed_schema import MAX_FIELDS, MAX_NUMBER, ObservedValues, key_order
from tuneproof.engine.arms.train_bounds import BOUND_OF, Seen, allows, ends, list_bound, number_bound, string_bound
from tuneproof.engine.case.output_bounds import WHOLE, Bounds, BoundsChoice, FieldBound
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.output_inference import JSON_TYPES, json_type

ANNOTATIONS = {"title", "description", "default", "examples", "$comment", "$schema", "$id", "$defs", "definitions"}
"""Keywords that say nothing about a value."""

CLOSED_BY = {
    "string": ("enum", "const", "maxLength"),
    "array": ("enum", "const", "maxItems"),
    "number": ("enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords with which the schema bounds a type itself."""


@dataclass
class BoundedSchema:
    """A schema with bounds, and which they are."""

    schema: dict[str, Any]
    bounds: Bounds = field(default_factory=dict)
    """The bounds that are applied, by path."""
    dropped: list[str] = field(default_factory=list)
    """Paths whose bounds of the case a validation answer does not keep."""


def bounded_schema(schema: dict[str, Any], train: Sequence[Any], validation: Sequence[Any], wanted: BoundsChoice | Bounds) -> BoundedSchema:
    """The schema with bounds wherever it leaves a part open; `train` and `validation` are parsed answers.

    `auto` proposes them from train; listed bounds are taken as they are. A part without any type gets those of its values.

    Every value that the new schema allows is valid under the old one, and every answer of validation that is valid under the old one stays
    valid: a bound that would exclude it is dropped. Raises CaseError for a path that the answers do not have, and for a bound that does not
    fit the part.
    """
    if wanted is BoundsChoice.NONE:
        return BoundedSchema(schema)
    copy = json.loads(json.dumps(schema))
    _add_types(copy, [*train, *validation])
    in_train, in_validation = ObservedValues(copy), ObservedValues(copy)
    for observed, values in ((in_train, train), (in_validation, validation)):
        for value in values:
            observed.walk(copy, value)
    longest = max((len(json.dumps(value, ensure_ascii=False)) for value in train), default=0)
    result, known = BoundedSchema(copy), []
    for path, node in _paths(copy, in_train):
        open_types = _open_types(node)
        known += [path] if open_types else []
        seen = Seen(in_train.values.get(id(node), []), in_validation.values.get(id(node), []))
        if isinstance(wanted, dict):
            bound = wanted.get(path)
            if bound is not None:
                _check_fits(path, bound, open_types)
                if not all(allows(bound, value) for value in seen.validation):
                    result.dropped.append(path)
                    bound = None
        else:
            bound = _proposed(node, open_types, seen, longest)
        if bound is not None:
            result.bounds.setdefault(path, bound)
            _apply(node, bound)
    if isinstance(wanted, dict) and (unknown := [path for path in wanted if path not in known]):
        raise CaseError(
            f"`{unknown[0]}` is no part of the answer that the format leaves open",
            where="task.output.bounds",
            fix=f"use one of: {', '.join(dict.fromkeys(known)) or 'none, every part is bounded'}",
        )
    return result


def _add_types(root: dict[str, Any], values: Sequence[Any]) -> None:
    """Gives parts and items without any constraint the types of their values: without one, a model may write any JSON there."""
    observed = ObservedValues(root)
    for value in values:
        observed.walk(root, value)
    for _, node in list(_paths(root, observed)):
        found = observed.values.get(id(node), [])
        if found and node.keys() <= ANNOTATIONS:
            node.update(_types(found))
        elif "array" in _type_list(node) and not node.keys() & {"items", "prefixItems", "enum", "const"}:
            node |= {key: inner for key, inner in _types([value for value in found if isinstance(value, list)]).items() if key == "items"}


def _types(values: Sequence[Any]) -> dict[str, Any]:
    types = {json_type(value) for value in values}
    if "number" in types:
        types.discard("integer")
    named = [name for name in JSON_TYPES if name in types]
    node: dict[str, Any] = {"type": named[0] if len(named) == 1 else named}
    objects = [value for value in values if isinstance(value, dict)]
    keys = key_order(objects)
    if 0 < len(keys) <= MAX_FIELDS:
        fields = {key: _types([value[key] for value in objects if key in value]) for key in keys}
        node |= {"properties": fields, "additionalProperties": False}
    if items := [item for value in values if isinstance(value, list) for item in value]:
        node["items"] = _types(items)
    return node


def _paths(root: dict[str, Any], observed: ObservedValues) -> Iterator[tuple[str, dict[str, Any]]]:
    """The nodes of a schema that apply to values, each once, with the path of the first part that it is for."""
    seen: set[int] = set()

    def visit(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if not isinstance(node, dict) or id(node) in seen:
            return
        seen.add(id(node))
        yield path, node
        for other in observed.same_value(node):
            yield from visit(other, path)
        below = "" if path == WHOLE else f"{path}."
        for key, inner in _mapping(node.get("properties")).items():
            yield from visit(inner, f"{below}{key}")
        yield from visit(node.get("items"), f"{path}[]")
        for at, inner in enumerate(node.get("prefixItems") or []):
            yield from visit(inner, f"{path}[{at}]")
        yield from visit(node.get("additionalProperties"), f"{below}*")
        for inner in _mapping(node.get("patternProperties")).values():
            yield from visit(inner, f"{below}*")

    return visit(root, WHOLE)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _open_types(node: dict[str, Any]) -> list[str]:
    """Which of `string`, `array` and `number` a node allows without bounds of its own."""
    types = _type_list(node)
    named = [*(["string"] if "string" in types else []), *(["array"] if "array" in types else [])]
    named += ["number"] if {"integer", "number"} & set(types) else []
    return [type_ for type_ in named if not any(_closes(node, word) for word in CLOSED_BY[type_])]


def _closes(node: dict[str, Any], word: str) -> bool:
    # The limits that a closed schema gives to numbers only keep out exponents.
    return word in node and not (word in ("minimum", "maximum") and abs(node[word]) == MAX_NUMBER)


def _type_list(node: dict[str, Any]) -> list[str]:
    types = node.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _proposed(node: dict[str, Any], open_types: Sequence[str], seen: Seen, longest: int) -> FieldBound | None:
    """The bounds that train proposes for a node, for each of its types."""
    found: list[FieldBound | None] = []
    if "string" in open_types and not ends(str(node.get("pattern", ".*"))):
        texts = string_bound(seen.of(str), longest)
        is_only_text = not set(_type_list(node)) - {"string", "null"}
        if texts is not None and texts.max_length is None and ("pattern" in node or "format" in node or not is_only_text):
            # The node has a form of its own, or may be of another type, so only its length is bounded.
            texts = string_bound(Seen([], seen.of(str).both), longest)
        found.append(texts)
    if "array" in open_types:
        found.append(list_bound(seen.of(list)))
    if "number" in open_types:
        found.append(number_bound(seen.of((int, float)), is_integer="number" not in _type_list(node)))
    given = {key: value for bound in found if bound is not None for key, value in bound.model_dump(exclude_none=True).items()}
    return FieldBound(**given) if given else None


def _check_fits(path: str, bound: FieldBound, open_types: Sequence[str]) -> None:
    """Raises CaseError if the bound is for a type that the part does not have, or that the schema bounds itself."""
    for type_, is_for in BOUND_OF.items():
        if is_for(bound) and type_ not in open_types:
            raise CaseError(
                f"`{path}` is no {type_} that the format leaves open",
                where="task.output.bounds",
                fix="take the bound out, or bound the part in task.output.schema",
            )


def _apply(node: dict[str, Any], bound: FieldBound) -> None:
    """Writes a bound into a node. A limit of the schema on the other side stays in reach."""
    types = _type_list(node)
    if bound.values is not None:
        allowed: list[str | None] = [*bound.values, *([None] if "null" in types else [])]
        node["enum"] = allowed
    if bound.pattern is not None:
        form = {"pattern": f"^(?:{bound.pattern})$"}
        node |= {"allOf": [*node.get("allOf", []), form]} if "pattern" in node else form
    if bound.max_length is not None:
        node["maxLength"] = max(bound.max_length, node.get("minLength", 0))
    if bound.max_items is not None:
        node["maxItems"] = max(bound.max_items, node.get("minItems", 0))
    if bound.max_digits is not None:
        node |= {"exclusiveMinimum": -(10**bound.max_digits), "exclusiveMaximum": 10**bound.max_digits}
    if bound.decimals is not None and "number" in types:
        if bound.decimals:
            node["multipleOf"] = float(f"1e-{bound.decimals}")
        else:
            integer = ["integer" if type_ == "number" else type_ for type_ in types if not (type_ == "integer" and "number" in types)]
            node["type"] = integer[0] if len(integer) == 1 else integer
