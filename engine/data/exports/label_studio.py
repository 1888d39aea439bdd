"""Exports of Label Studio: JSON with every annotation of a task, and JSON-MIN and CSV with one annotation a row.

https://labelstud.io/guide/export (formats JSON, JSON_MIN and CSV)
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from tuneproof.engine.data.annotators import agreed, one_row_a_task
from tuneproof.engine.data.cells import NotToLearn, RowError, list_of, object_of, objects_of, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.exports.answers import output_of, spans_of
from tuneproof.engine.data.exports.text_field import TEXT_NAMES, text_field
from tuneproof.engine.data.labels import LabelList, with_labels
from tuneproof.engine.data.notes import KeyPlace, PairKind, PreferencePair, RowNotes, UnusedKey
from tuneproof.engine.data.row_shape import Problems, RowShape

KEPT_KEYS = ("id", "meta", "project", "file_upload")
"""Keys of a task that are kept as metadata, beside its fields."""

ABOUT_THE_ANNOTATION = {
    *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "completed_by", "unresolved_comment_count")
}
"""Columns of JSON-MIN and CSV that are neither a field of the task nor an answer."""


def _json(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    listed = list_of(row.get("annotations", row.get("completions")), "annotations")
    if any(isinstance(annotation, int) for annotation in listed):
        raise RowError("the annotations are not in the export, only their numbers: export as JSON with its annotations")
    annotations = objects_of(listed, "annotations")
    given = [each for each in annotations if not (each.get("was_cancelled") or each.get("skipped"))]
    if not given and annotations:
        raise NotToLearn("its annotator skipped it (`was_cancelled`)")
    given = [each for each in given if each.get("result")]
    if not given:
        guessed = " but predicted by a model" if row.get("predictions") else ""
        raise NotToLearn(f"it is not annotated{guessed}")
    # Label Studio's mark for the annotation that is known to be right.
    given = [each for each in given if each.get("ground_truth")] or given
    data = object_of(row["data"], "data")
    name = text_field(data)
    output = agreed([_answer(objects_of(each["result"], "result"), text_cell(data, name), notes) for each in given], notes)
    metadata = {key: value for key, value in data.items() if key != name} | {key: row[key] for key in KEPT_KEYS if row.get(key)}
    return Example("", text_cell(data, name), output, source, metadata=metadata)


def _answer(results: Sequence[Mapping[str, Any]], text: str, notes: RowNotes) -> str:
    """The output for the results of one annotation."""
    answers: dict[str, Any] = {}
    for result in results:
        kind = str(result.get("type"))
        value = result.get("value")
        if kind == "relation" or not isinstance(value, dict):
            notes.add(UnusedKey("relation" if kind == "relation" else "result", KeyPlace.ROW, "it is no answer that can be learned here"))
            continue
        name = str(result.get("from_name") or kind)
        if kind == "pairwise":
            notes.add(PreferencePair(PairKind.BETTER_AND_WORSE))
        if "start" in value or "end" in value:
            answers.setdefault(name, []).extend(spans_of([value], text))
        else:
            _add(answers, name, value.get(kind) if kind in value else next(iter(value.values()), None))
    return output_of(answers)


def _add(answers: dict[str, Any], name: str, value: Any) -> None:
    """Adds an answer to those of its control: labels in a list, or one value."""
    if isinstance(value, list):
        # A taxonomy has a path for each of its answers.
        labels = [" / ".join(map(str, label)) if isinstance(label, list) else label for label in value]
        before = answers.get(name)
        answers[name] = LabelList.of([*(before.labels if isinstance(before, LabelList) else ()), *labels])
    elif value is not None:
        answers[name] = value


def _flat(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    names = [name for name in row if name not in ABOUT_THE_ANNOTATION]
    keys = list(row)
    at = keys.index("id") if "id" in keys else 0
    # JSON-MIN has the fields of the task, its id, the answers and what is known of the annotation, in this order; CSV sorts its columns.
    ordered = 0 < at < keys.index("annotator") and any(key not in ABOUT_THE_ANNOTATION for key in keys[at : keys.index("annotator")])
    if ordered:
        fields, asked = keys[:at], [key for key in keys[at:] if key in names]
    else:
        text_name = next((name for known in TEXT_NAMES for name in names if name.lower() == known), None)
        if text_name is None or len(names) > 2:
            shown = ", ".join(f"`{name[:60]}`" for name in names[:12])
            raise RowError(f"it cannot be known which of {shown} are answers; name the columns under data.columns")
        fields, asked = [text_name], [name for name in names if name != text_name]
    name = text_field({key: row[key] for key in fields})
    answers: dict[str, Any] = {}
    for key in asked:
        value = _cell(row[key])
        if value in (None, "", []):
            continue
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            answers[key] = spans_of(value, text_cell(row, name)) if any("start" in each for each in value) else value
        else:
            _add(answers, key, value)
    if not answers:
        raise NotToLearn("it is not annotated")
    return Example("", text_cell(row, name), output_of(answers), source, metadata={k: row[k] for k in keys if k != name and k not in asked})


def _cell(value: Any) -> Any:
    """The value of an answer: several choices are in an object, and in CSV lists and objects are JSON text."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value["choices"] if isinstance(value, dict) and value.keys() == {"choices"} else value


def _task(example: Example) -> Hashable | None:
    task = example.metadata.get("id")
    return (str(task), example.input) if task not in (None, "") else None


def _settle(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    return with_labels(examples)


def _settle_flat(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    return with_labels(one_row_a_task(examples, problems, notes, _task))


def _is_task(row: Mapping[str, Any]) -> bool:
    return isinstance(row["data"], dict) and any(isinstance(row.get(key), list) for key in ("annotations", "completions"))


LABEL_STUDIO = (
    RowShape("Label Studio export", frozenset({"data"}), _json, _is_task, _settle),
    RowShape("Label Studio export (one annotation a row)", frozenset({"annotator", "annotation_id"}), _flat, settle=_settle_flat),
)
