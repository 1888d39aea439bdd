"""Graders of outputs, one for each output kind."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tuneproof.engine.case.task import Metric, OutputKind, Task
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.answer_pattern import MATCH_SECONDS, AnswerPattern
from tuneproof.engine.scoring.grade import REFUSAL_PATTERN, FailureClass, Grade, Grader, Labels, unparsed_grade
from tuneproof.engine.scoring.json_schema import SchemaValidator
from tuneproof.engine.scoring.json_values import different_fields, parse_json, share_of_right_fields
from tuneproof.engine.scoring.tool_calls import ToolCallGrader


def make_grader(task: Task, labels: Sequence[str]) -> Grader:
    """The grader of a task; `labels` are the outputs of train, which are the choices if the case names none.

    Raises CaseError if `task.output.schema` cannot be used.
    """
    match task.output.kind:
        case OutputKind.JSON:
            schema = task.output.json_schema
            return JsonGrader(schema if isinstance(schema, dict) else None)
        case OutputKind.CHOICE:
            return ChoiceGrader(task.output.choices or sorted({answer_of(label).strip() for label in labels}))
        case OutputKind.PATTERN:
            return PatternGrader(task.output.pattern or "")
        case OutputKind.TOOL_CALLS:
            return ToolCallGrader()
        case OutputKind.TEXT:
            return TextGrader()


class JsonGrader:
    """One JSON document and nothing else; correct if it equals the expected one, in any order of keys."""

    def __init__(self, schema: dict[str, Any] | None) -> None:
        self._schema = schema
        self._validator = SchemaValidator(schema) if schema is not None else None

    def __reduce__(self) -> tuple[type[JsonGrader], tuple[dict[str, Any] | None]]:
        # A validator cannot be pickled; its schema can.
        return JsonGrader, (self._schema,)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = answer_of(output), answer_of(expected)
        try:
            actual = parse_json(output)
        except ValueError:
            inside = _contains_json(output)
            return unparsed_grade(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
        wanted = parse_json(expected)
        wrong_shape = self._shape_errors(actual, wanted)
        if wrong_shape:
            return Grade(False, False, FailureClass.WRONG_SHAPE, wrong_shape)
        wrong = different_fields(actual, wanted)
        if not wrong:
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0, Metric.FIELD_ACCURACY: 1.0})
        return Grade(True, False, FailureClass.WRONG_VALUE, wrong, {Metric.FIELD_ACCURACY: share_of_right_fields(actual, wanted)})

    def problem(self, expected: str) -> str | None:
        try:
            value = parse_json(answer_of(expected))
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


class ChoiceGrader:
    """Exactly one of the labels, outer white space aside."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = list(choices)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = answer_of(output), answer_of(expected).strip()
        answer = output.strip()
        if answer not in self.choices:
            inside = any(re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", answer) for choice in self.choices)
            unparsed = unparsed_grade(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
            return replace(unparsed, labels=Labels((expected,)))
        labels = Labels((expected,), (answer,))
        if answer == expected:
            return Grade(True, True, scores={Metric.CHOICE_ACCURACY: 1.0, Metric.EXACT_MATCH: 1.0}, labels=labels, answer=answer)
        return Grade(True, False, FailureClass.WRONG_VALUE, (expected,), labels=labels, answer=answer)

    def problem(self, expected: str) -> str | None:
        label = answer_of(expected).strip()
        return None if label in self.choices else f"`{label[:60]}` is not one of the choices"

    def description(self) -> str:
        return f"Answer with exactly one of: {', '.join(self.choices)}."


NO_MATCH = "it does not match task.output.pattern"


class PatternGrader:
    """A text that contains the pattern; the answer is the first group of its last match."""

    def __init__(self, pattern: str) -> None:
        self._pattern = AnswerPattern(pattern)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = answer_of(output), answer_of(expected)
        answer = self._answer(output)
        # Right is what the pattern finds; an exact match is the whole text.
        whole = {Metric.EXACT_MATCH: 1.0} if output.strip() == expected.strip() else {}
        if answer is None:
            return replace(unparsed_grade(output, truncated, FailureClass.NOT_PARSEABLE), scores=whole)
        if answer == self._answer(expected):
            return Grade(True, True, scores={Metric.PATTERN_MATCH: 1.0, **whole}, answer=answer)
        return Grade(True, False, FailureClass.WRONG_VALUE, scores=whole, answer=answer)

    def problem(self, expected: str) -> str | None:
        text = answer_of(expected)
        if self._answer(text) is not None:
            return None
        return f"task.output.pattern takes longer than {MATCH_SECONDS:g} s on it" if self._pattern.was_too_slow(text) else NO_MATCH

    def description(self) -> str:
        return f"The answer must match the regular expression {self._pattern.text}"

    def _answer(self, text: str) -> str | None:
        found = self._pattern.last_in(text)
        return (found.group(1) or "").strip() if found else None


class TextGrader:
    """Any text that is not truncated; correct if it equals the expected one, outer white space aside."""

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = answer_of(output), answer_of(expected)
        if truncated or not output.strip():
            return unparsed_grade(output, truncated, FailureClass.WRONG_VALUE)
        if output.strip() == expected.strip():
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0})
        refused = bool(REFUSAL_PATTERN.search(output))
        return Grade(True, False, FailureClass.REFUSED if refused else FailureClass.WRONG_VALUE)

    def problem(self, expected: str) -> str | None:
        return None

    def description(self) -> str:
        return ""


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
