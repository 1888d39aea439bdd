"""The grader of JSON documents."""

from __future__ import annotations

import json
import re
from typing import Any

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.grade import FailureClass, Grade, unparsed_grade
from tuneproof.engine.scoring.json_schema import SchemaValidator
from tuneproof.engine.scoring.json_values import parse_json


class JsonGrader:
    """One JSON document and nothing else; correct if it equals the expected one, field by field, in any order of keys."""

    def __init__(self, schema: dict[str, Any] | None, comparison: Comparison | None = None) -> None:
        self._schema, self._comparison = schema, comparison or Comparison()
        self._validator = SchemaValidator(schema) if schema is not None else None

    def __reduce__(self) -> tuple[type[JsonGrader], tuple[dict[str, Any] | None, Comparison]]:
        # A validator cannot be pickled; its schema can.
        return JsonGrader, (self._schema, self._comparison)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = self._comparison.answer_of(output), self._comparison.answer_of(expected)
        try:
            actual = parse_json(output)
        except ValueError:
            inside = _contains_json(output)
            return unparsed_grade(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
        try:
            wanted = parse_json(expected)
        except ValueError:
            # A row whose expected answer is no JSON can be accepted: no answer to it is right.
            return Grade(self._validator is None or not self._validator.wrong_parts(actual), False, FailureClass.WRONG_VALUE, ("$",))
        wrong_shape = self._shape_errors(actual, wanted)
        if wrong_shape:
            return Grade(False, False, FailureClass.WRONG_SHAPE, wrong_shape)
        wrong, share = self._comparison.different_fields(actual, wanted), self._comparison.share_of_right_fields(actual, wanted)
        if not wrong:
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0, Metric.FIELD_ACCURACY: 1.0})
        return Grade(True, False, FailureClass.WRONG_VALUE, wrong, {Metric.FIELD_ACCURACY: share})

    def problem(self, expected: str) -> str | None:
        try:
            value = parse_json(self._comparison.answer_of(expected))
        except ValueError as error:
            return f"not valid JSON: {error}"
        errors = self._shape_errors(value, value)
        if errors and self._validator is not None and self._validator.has_slow_pattern(value):
            return f"a pattern of task.output.schema takes too many steps on it, at {', '.join(errors)}"
        return f"does not match task.output.schema at {', '.join(errors)}" if errors else None

    def description(self) -> str:
        request = "Answer with one JSON object and nothing else."
        properties = (self._schema or {}).get("properties")
        if not isinstance(properties, dict) or not properties:
            return request if self._schema is None else f"{request} It must satisfy this JSON Schema: {json.dumps(self._schema)}"
        return f"{request} Fields: {', '.join(_field(name, kind) for name, kind in properties.items())}."

    def _shape_errors(self, got: Any, wanted: Any) -> tuple[str, ...]:
        if self._validator is None:
            return () if type(got) is type(wanted) else ("$",)
        return self._validator.wrong_parts(got)


def _contains_json(output: str) -> bool:
    """Whether the text contains a JSON object or array."""
    decoder = json.JSONDecoder()
    for found in re.finditer(r"[{\[]", output):
        try:
            decoder.raw_decode(output, found.start())
        except ValueError:
            continue
        return True
    return False


def _field(name: str, kind: Any) -> str:
    """One property of a schema in words, for a prompt."""
    quoted = json.dumps(name, ensure_ascii=False)
    if not isinstance(kind, dict):
        return quoted
    if isinstance(kind.get("enum"), list):
        return f"{quoted} (one of {', '.join(json.dumps(v, ensure_ascii=False) for v in kind['enum'])})"
    if kind.get("type") == "array" and isinstance(kind.get("items"), dict) and isinstance(kind["items"].get("properties"), dict):
        inner = ", ".join(json.dumps(k, ensure_ascii=False) for k in kind["items"]["properties"])
        return f"{quoted} (list of objects with {inner})"
    return f"{quoted} ({kind['type']})" if isinstance(kind.get("type"), str) else quoted
