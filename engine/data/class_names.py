"""The names of labels that a table holds as numbers, as the `datasets` library writes them into the schema of Parquet and Arrow files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Naming = Callable[[Any], Any]
"""From a value with numbers to the same with names."""

LISTS = ("Sequence", "List", "LargeList")


def namings_of_schema(metadata: Mapping[bytes, bytes] | None) -> dict[str, Naming]:
    """What names the labels of each column that has some, from the metadata of an Arrow schema."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return namings(features)


def namings(features: Any) -> dict[str, Naming]:
    """What names the labels of each column, from features as `datasets` describes them."""
    if not isinstance(features, Mapping):
        return {}
    return {name: naming for name, feature in features.items() if (naming := _naming(feature)) is not None}


def _naming(feature: Any) -> Naming | None:
    if isinstance(feature, list) and len(feature) == 1:
        return _of_list(feature[0])
    if not isinstance(feature, Mapping):
        return None
    kind = feature.get("_type")
    if kind == "ClassLabel":
        names = feature.get("names")
        return _of_label(names) if isinstance(names, list) else None
    if kind in LISTS:
        return _of_list(feature.get("feature"))
    return _of_struct(namings(feature)) if not isinstance(kind, str) else None


def _of_label(names: list[Any]) -> Naming:
    def name(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or value >= len(names):
            return value
        # `datasets` writes -1 for a label that is not known, as in a test set without answers.
        return str(names[value]) if value >= 0 else None

    return name


def _of_list(feature: Any) -> Naming | None:
    inner = _naming(feature)
    if inner is None:
        return None

    def each(value: Any) -> Any:
        # A sequence of structs is stored as a struct of lists by older versions.
        if isinstance(value, Mapping):
            return {key: [inner({key: item})[key] for item in items] if isinstance(items, list) else items for key, items in value.items()}
        return [inner(item) for item in value] if isinstance(value, list) else value

    return each


def _of_struct(fields: dict[str, Naming]) -> Naming | None:
    if not fields:
        return None
    return lambda value: (
        {key: fields[key](item) if key in fields else item for key, item in value.items()} if isinstance(value, Mapping) else value
    )
