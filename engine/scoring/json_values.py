"""JSON documents as values: parsed strictly, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

MAX_JSON_DEPTH = 100
"""Maximum nesting of a JSON document; the validator fails at a few hundred levels."""


def parse_json(text: str) -> Any:
    """Parses one JSON document.

    Raises ValueError for anything else: text around it, NaN, a repeated key; also for what JSON's grammar allows and Python cannot process:
    lone surrogates, numbers beyond a float, and nesting beyond `MAX_JSON_DEPTH`.
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in found]
        if len(set(keys)) < len(keys):
            raise ValueError("a key is repeated")
        return dict(found)

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        value = json.loads(text.strip(), object_pairs_hook=pairs, parse_constant=constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _is_deeper(value, MAX_JSON_DEPTH):
        raise ValueError("nested too deeply")
    return value


def parsed_documents(texts: Iterable[str]) -> list[Any]:
    """The values of the texts that are JSON documents; the audit reports rows that are none."""
    values = []
    for text in texts:
        try:
            values.append(parse_json(text))
        except ValueError:
            continue
    return values


def _is_deeper(value: Any, levels: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inside)


def same_json(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: 1 equals 1.0, and true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same_json(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_json(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def different_fields(got: Any, wanted: Any) -> tuple[str, ...]:
    """The top-level fields in which two documents differ; `$` if they differ and are not both objects."""
    if not isinstance(got, dict) or not isinstance(wanted, dict):
        return () if same_json(got, wanted) else ("$",)
    missing = object()
    return tuple(k for k in {**wanted, **got} if not same_json(got.get(k, missing), wanted.get(k, missing)))


def share_of_right_fields(got: Any, wanted: Any) -> float:
    """The share of the fields of both documents that are equal; 0 if they are not both objects."""
    if not isinstance(got, dict) or not isinstance(wanted, dict):
        return 0.0
    fields = {**wanted, **got}
    return 1 - len(different_fields(got, wanted)) / len(fields)
