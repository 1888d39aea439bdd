"""Graders of outputs, one for each output kind, and the classes of failures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from tuneproof.engine.case.task import Metric, OutputKind, Task
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.answer_pattern import MATCH_SECONDS, AnswerPattern
from tuneproof.engine.scoring.json_schema import SchemaValidator


class FailureClass(StrEnum):
    """Why an output is not correct; the first class that applies, from the whole output to its values."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    NOT_PARSEABLE = "not parseable"
    EXTRA_TEXT = "extra text"
    WRONG_SHAPE = "wrong shape"
    WRONG_VALUE = "wrong value"
    ENDPOINT_ERROR = "endpoint_error"
    """No answer at all: a failure of the server, not of the model."""


@dataclass(frozen=True)
class Labels:
    """The labels that an output should have named, and those that it named; none if it does not have the format."""

    expected: tuple[str, ...]
    answered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grade:
    """The grade of one output: format and correctness separately, the class of the failure, and the wrong fields."""

    format_valid: bool
    correct: bool
    failure: FailureClass | None = None
    fields: tuple[str, ...] = ()
    scores: Mapping[Metric, float] = field(default_factory=dict)
    """What the case scores, between 0 and 1, in each metric that is a mean over cases; 0 in those that are not named."""
    labels: Labels | None = None
    """For an output that names labels, which an F1 is computed from."""
    answer: str = ""
    """The label, or what the pattern found; empty for other kinds and if it cannot be parsed."""


class Grader(Protocol):
    """Grades the outputs of one task. Reasoning at their start is set aside."""

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        """The grade of an output; `truncated` says that it ended at the token limit."""

    def problem(self, expected: str) -> str | None:
        """Why an expected output does not have the format of the task; None if it has."""

    def description(self) -> str:
        """The format in words, for a prompt; empty if any text is valid."""


REFUSAL_PATTERN = re.compile(
    r"\b(i'?m sorry|i am sorry|i can(?:no|')t|i can not|i am unable|i'm unable|as an ai|i won'?t|not able to (?:help|assist))\b",
    re.IGNORECASE,
)
"""Phrases of a model that refuses to answer."""


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
            return _unparsed(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
        wanted = parse_json(expected)
        wrong_shape = self._shape_errors(actual, wanted)
        if wrong_shape:
            return Grade(False, False, FailureClass.WRONG_SHAPE, wrong_shape)
        wrong = different_fields(actual, wanted)
        if not wrong:
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0, Metric.FIELD_ACCURACY: 1.0})
        return Grade(True, False, FailureClass.WRONG_VALUE, wrong, {Metric.FIELD_ACCURACY: _share_of_right_fields(actual, wanted)})

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
            unparsed = _unparsed(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
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
            return replace(_unparsed(output, truncated, FailureClass.NOT_PARSEABLE), scores=whole)
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
            return _unparsed(output, truncated, FailureClass.WRONG_VALUE)
        if output.strip() == expected.strip():
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0})
        refused = bool(REFUSAL_PATTERN.search(output))
        return Grade(True, False, FailureClass.REFUSED if refused else FailureClass.WRONG_VALUE)

    def problem(self, expected: str) -> str | None:
        return None

    def description(self) -> str:
        return ""


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


def _share_of_right_fields(got: Any, wanted: Any) -> float:
    """The share of the fields of both documents that are equal; 0 if they are not both objects."""
    if not isinstance(got, dict) or not isinstance(wanted, dict):
        return 0.0
    fields = {**wanted, **got}
    return 1 - len(different_fields(got, wanted)) / len(fields)


def _unparsed(output: str, truncated: bool, otherwise: FailureClass) -> Grade:
    """The grade of an output whose answer cannot be parsed; `otherwise` is its class if no more specific one applies."""
    if truncated:
        return Grade(False, False, FailureClass.TRUNCATED)
    if not output.strip():
        return Grade(False, False, FailureClass.EMPTY)
    if REFUSAL_PATTERN.search(output):
        return Grade(False, False, FailureClass.REFUSED)
    return Grade(False, False, otherwise)


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
