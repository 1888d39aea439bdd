"""Exports of Argilla: records of version 2, flat (`to_datasets`, Parquet, the hub) and nested (`to_json`), and those of version 1.

https://docs.argilla.io/latest/how_to_guides/import_export/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuneproof.engine.data.annotators import agreed
from tuneproof.engine.data.cells import NotToLearn, list_of, object_of, objects_of, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.exports.answers import output_of, spans_of
from tuneproof.engine.data.exports.text_field import text_field
from tuneproof.engine.data.labels import LabelList, with_labels
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.row_shape import Problems, RowShape

RESPONSES, SUGGESTION = ".responses", ".suggestion"
OLD_SUGGESTION = "-suggestion"
NOT_FIELDS = {"id", "status", "_server_id", "metadata", "vectors", "external_id", "inserted_at", "updated_at"}
NOT_GIVEN = {"discarded", "draft", "pending"}
"""States of a response that is no answer."""

Responses = Mapping[str, Sequence[tuple[Any, str]]]
"""By question, the answers and their states."""


def _example(fields: Mapping[str, Any], responses: Responses, metadata: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    """The example of a record; what most answered to each of its questions is the output."""
    answers: dict[str, Any] = {}
    for question, given in responses.items():
        values = [_value(value) for value, status in given if status.lower() not in NOT_GIVEN and value not in (None, "")]
        if values:
            answers[question] = values[0] if len(values) == 1 else _agreed(values, notes)
    if not answers:
        states = {status.lower() for given in responses.values() for _, status in given}
        raise NotToLearn("its annotators discarded it" if "discarded" in states else "nobody has answered it; suggestions are no answers")
    name = text_field(fields)
    rest = {key: value for key, value in fields.items() if key != name}
    return Example("", text_cell(fields, name), output_of(answers), source, metadata={**rest, **metadata})


def _value(value: Any) -> Any:
    """An answer: a list of labels is of a question that takes several; a ranking, and spans, stay as they are."""
    if isinstance(value, list) and all(isinstance(label, str) for label in value):
        return LabelList.of(value, stays=True)
    return value


def _agreed(values: Sequence[Any], notes: RowNotes) -> Any:
    outputs = [value if isinstance(value, LabelList) else output_of({"answer": value}) for value in values]
    best = agreed(outputs, notes)
    return next(value for value, output in zip(values, outputs, strict=True) if output == best)


def _flat(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    questions = [key.removesuffix(RESPONSES) for key in row if key.endswith(RESPONSES)]
    responses = {}
    for question in questions:
        values, states = (list_of(row.get(f"{question}{RESPONSES}{ending}"), question) for ending in ("", ".status"))
        responses[question] = [(value, str(states[at] if at < len(states) else "submitted")) for at, value in enumerate(values)]
    about = tuple(f"{question}{ending}" for question in questions for ending in (RESPONSES, SUGGESTION))
    fields = {key: value for key, value in row.items() if key not in NOT_FIELDS and not key.startswith(about)}
    return _example(fields, responses, {key: row[key] for key in ("id",) if row.get(key)}, source, notes)


def _nested(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    given, responses = row.get("responses") or {}, {}
    if isinstance(given, dict):
        responses = {question: _given(answers, question) for question, answers in given.items()}
    else:
        for question, value, status in _of_users(objects_of(given, "responses")):
            responses.setdefault(question, []).append((value, status))
    metadata = {**object_of(row.get("metadata"), "metadata"), **{key: row[key] for key in ("id", "external_id") if row.get(key)}}
    return _example(object_of(row["fields"], "fields"), responses, metadata, source, notes)


def _of_users(responses: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any, str]]:
    """The answers of version 1, where each user's response has all questions."""
    for response in responses:
        for question, answer in object_of(response.get("values"), "values").items():
            yield question, answer.get("value") if isinstance(answer, dict) else answer, str(response.get("status") or "submitted")


def _feedback(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    """A record of a feedback data set of version 1 on the hub: a question is a column of responses."""
    questions = _feedback_questions(row)
    responses = {question: _given(row[question], question) for question in questions}
    about = tuple(f"{question}{OLD_SUGGESTION}" for question in questions)
    fields = {key: value for key, value in row.items() if key not in NOT_FIELDS and key not in questions and not key.startswith(about)}
    return _example(fields, responses, {key: row[key] for key in ("external_id",) if row.get(key)}, source, notes)


def _given(answers: Any, question: str) -> list[tuple[Any, str]]:
    """The answers to a question, each with its state."""
    return [(answer.get("value"), str(answer.get("status") or "submitted")) for answer in objects_of(answers, question)]


def _feedback_questions(row: Mapping[str, Any]) -> list[str]:
    return [key for key in row if f"{key}{OLD_SUGGESTION}" in row]


def _old(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    """A record of version 1 for classification, tokens or text: `annotation` is the answer, `prediction` a model's."""
    if str(row.get("status") or "").lower() == "discarded":
        raise NotToLearn("its annotator discarded it (`status`)")
    annotation = row["annotation"]
    if annotation is None or annotation == "":
        raise NotToLearn("it has no annotation; a `prediction` is no answer")
    fields = object_of(row.get("inputs"), "inputs") or {"text": row.get("text")}
    name = text_field(fields)
    rest = {key: value for key, value in fields.items() if key != name}
    if isinstance(annotation, list) and annotation and all(isinstance(span, list) and len(span) >= 3 for span in annotation):
        spans = [{"start": span[1], "end": span[2], "label": span[0]} for span in annotation]
        answer: Any = spans_of(spans, text_cell(fields, name))
    else:
        answer = LabelList.of(annotation, stays=True) if isinstance(annotation, list) else annotation
    metadata = {**rest, **object_of(row.get("metadata"), "metadata"), **({"id": row["id"]} if row.get("id") else {})}
    return Example("", text_cell(fields, name), output_of({"annotation": answer}), source, metadata=metadata)


def _settle(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    return with_labels(examples)


def _has_responses(row: Mapping[str, Any]) -> bool:
    return any(key.endswith(RESPONSES) for key in row)


def _has_fields(row: Mapping[str, Any]) -> bool:
    return isinstance(row["fields"], dict)


def _has_text(row: Mapping[str, Any]) -> bool:
    return "text" in row or isinstance(row.get("inputs"), dict)


ARGILLA = (
    RowShape("Argilla export", frozenset(), _flat, _has_responses, _settle),
    RowShape("Argilla export (nested)", frozenset({"fields", "responses"}), _nested, _has_fields, _settle),
    RowShape("Argilla export (version 1, feedback)", frozenset(), _feedback, lambda row: bool(_feedback_questions(row)), _settle),
    RowShape("Argilla export (version 1)", frozenset({"annotation", "prediction", "status"}), _old, _has_text, _settle),
)
