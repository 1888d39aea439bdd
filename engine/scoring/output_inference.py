"""Infers `task.output` from the outputs of the data, as a draft for a person to correct."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.data.call_text import UnreadableCall, read_calls
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.json_values import parse_json
from tuneproof.engine.scoring.label_lists import read_labels

MIN_MATCHING_SHARE = 0.9
"""Share of the outputs that must match a kind; the audit's format check reports the others."""

MIN_ROWS = 10
"""With fewer values than this, repeated values do not show that there are no others."""

MAX_LABELS = 200
MAX_LABEL_LENGTH = 80
"""In characters."""
MIN_SEVERAL = 0.05
"""The least share of outputs that name more than one label, where a task has several."""

MAX_ENUM_VALUES = 12
MAX_KEYS = 50
"""An object with more different keys than this is a map, whose keys are data."""

MAX_SCHEMA_DEPTH = 4
"""Levels of nesting that the schema describes; deeper values have only their type."""

ANSWER_MARKERS = (r"#### (-?[\d,.]+)", r"\\boxed\{([^{}]+)\}", r"<answer>(.*?)</answer>")
"""How answers with reasoning usually mark their result."""

MIN_CALLING_SHARE = 0.2
"""The least part of the outputs that calls tools, where that is the task: the others may be what is said once a tool has answered."""

JSON_TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")


@dataclass(frozen=True)
class InferredOutput:
    """An inferred output format, and one sentence on why the outputs suggest it."""

    output: OutputFormat
    why: str


def infer_output(outputs: Sequence[str]) -> InferredOutput:
    """The first kind that matches the outputs.

    These are calls of tools, JSON objects, lists of labels, a few labels, texts that mark their answer, and any text. Empty outputs
    do not count. If all outputs are JSON objects, each of them matches the inferred schema.
    """
    given = [output.strip() for output in outputs if output.strip()]
    if not given:
        return InferredOutput(OutputFormat(kind=OutputKind.TEXT), "there are no outputs")
    return _as_tool_calls(given) or _as_json(given) or _as_labels(given) or _as_choice(given) or _as_pattern(given) or _as_text()


def _as_tool_calls(given: Sequence[str]) -> InferredOutput | None:
    calling = sum(map(_calls_tools, given))
    if calling < MIN_CALLING_SHARE * len(given):
        return None
    return InferredOutput(OutputFormat(kind=OutputKind.TOOL_CALLS), f"{_share(calling, given)} call tools")


def _calls_tools(text: str) -> bool:
    try:
        return bool(read_calls(answer_of(text)).calls)
    except UnreadableCall:
        return True


def _as_json(given: Sequence[str]) -> InferredOutput | None:
    objects = [value for text in given if (value := _json_object(text)) is not None]
    if not _nearly_all(len(objects), given):
        return None
    key_sets = {frozenset(value) for value in objects}
    keys = max(map(len, key_sets))
    keys_in_words = f"the same {keys} {'key' if keys == 1 else 'keys'}" if len(key_sets) == 1 else f"{len(key_sets)} different sets of keys"
    schema = _schema(objects, MAX_SCHEMA_DEPTH)
    return InferredOutput(
        OutputFormat(kind=OutputKind.JSON, json_schema=schema), f"{_share(len(objects), given)} are JSON objects with {keys_in_words}"
    )


def _as_labels(given: Sequence[str]) -> InferredOutput | None:
    """Lists of a few labels that several outputs name: in JSON, or combined in more outputs than there are labels."""
    for style in ListStyle:
        lists = [labels for text in given if (labels := read_labels(text, style)) is not None]
        names = {label for labels in lists for label in labels}
        if len(lists) < len(given) or len(given) < MIN_ROWS or not 2 <= len(names) <= MAX_LABELS or not _are_short(names):
            continue
        several = sum(len(labels) > 1 for labels in lists)
        are_combined = style is ListStyle.JSON or len(names) < len(set(given))
        if several < MIN_SEVERAL * len(given) or not are_combined or sum(map(len, lists)) < 3 * len(names):
            continue
        output = OutputFormat(kind=OutputKind.LABELS, choices=sorted(names), list_style=style)
        return InferredOutput(output, f"all {len(given)} outputs list some of {len(names)} short labels, {several} of them several")
    return None


def _as_choice(given: Sequence[str]) -> InferredOutput | None:
    labels = repeated_labels(given, MAX_LABELS, each=3)
    if labels is None:
        return None
    return InferredOutput(
        OutputFormat(kind=OutputKind.CHOICE, choices=labels), f"all {len(given)} outputs are one of {len(labels)} short labels"
    )


def _as_pattern(given: Sequence[str]) -> InferredOutput | None:
    for pattern in ANSWER_MARKERS:
        found = [match for text in given if (match := re.search(pattern, text))]
        if _nearly_all(len(found), given):
            why = f"{_share(len(found), given)} mark their answer, as in `{found[0][0][:MAX_LABEL_LENGTH]}`"
            return InferredOutput(OutputFormat(kind=OutputKind.PATTERN, pattern=pattern), why)
    return None


def _as_text() -> InferredOutput:
    why = "the outputs are neither JSON objects nor a few labels, and do not mark an answer"
    return InferredOutput(OutputFormat(kind=OutputKind.TEXT), why)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _schema(values: Sequence[Any], depth: int) -> dict[str, Any]:
    """A schema that every value matches; `depth` is the number of levels below this one that it may describe."""
    types = {json_type(value) for value in values}
    if "number" in types:
        types.discard("integer")
    strings = [value for value in values if isinstance(value, str)]
    if types <= {"string", "null"} and (labels := repeated_labels(strings, MAX_ENUM_VALUES, each=5)):
        return {"enum": [*labels, *([None] if "null" in types else [])]}
    named = [name for name in JSON_TYPES if name in types]
    schema: dict[str, Any] = {"type": named[0] if len(named) == 1 else named}
    if "object" in types and depth:
        schema |= _object_schema([value for value in values if isinstance(value, dict)], depth)
    items = [item for value in values if isinstance(value, list) for item in value]
    if items and depth:
        schema["items"] = _schema(items, depth - 1)
    return schema


def _object_schema(objects: Sequence[dict[str, Any]], depth: int) -> dict[str, Any]:
    """The properties in the order of their first occurrence, the required ones, and whether others are allowed."""
    counts = Counter(key for value in objects for key in value)
    always = [key for key, count in counts.items() if count == len(objects)]
    is_map = len(counts) > MAX_KEYS
    named = always if is_map else list(counts)
    schema: dict[str, Any] = {}
    if named:
        schema["properties"] = {key: _schema([value[key] for value in objects if key in value], depth - 1) for key in named}
    if always:
        schema["required"] = always
    key_sets = len({frozenset(value) for value in objects})
    if not is_map and (key_sets == 1 or (key_sets <= MAX_ENUM_VALUES and 5 * key_sets <= len(objects))):
        schema["additionalProperties"] = False
    return schema


def json_type(value: Any) -> str:
    """The JSON Schema type of a value; an int is an integer, a float a number."""
    match value:
        case None:
            return "null"
        # In Python a bool is an int, so it must be matched first.
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
        case _:
            return "array"


def repeated_labels(texts: Sequence[str], most: int, *, each: int) -> list[str] | None:
    """The distinct texts, sorted, if they are at most `most`, short, and repeated `each` times on average; else None."""
    labels = set(texts)
    if len(texts) < MIN_ROWS or len(labels) > most or each * len(labels) > len(texts):
        return None
    return sorted(labels) if _are_short(labels) else None


def _are_short(labels: Iterable[str]) -> bool:
    return all(len(label) <= MAX_LABEL_LENGTH and len(label.splitlines()) <= 1 for label in labels)


def _nearly_all(found: int, given: Sequence[str]) -> bool:
    return found >= MIN_MATCHING_SHARE * len(given)


def _share(found: int, given: Sequence[str]) -> str:
    return f"all {found} outputs" if found == len(given) else f"{found} of {len(given)} outputs"
