"""Exports of Prodigy (`db-out`): JSONL with the decision of each task in `answer`.

https://prodi.gy/docs/api-interfaces
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from tuneproof.engine.data.annotators import one_row_a_task
from tuneproof.engine.data.cells import NotToLearn, RowError, objects_of, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.exports.answers import output_of, spans_of
from tuneproof.engine.data.exports.text_field import text_field
from tuneproof.engine.data.labels import LabelList, with_labels
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnusedKey
from tuneproof.engine.data.problems import NothingToLearn
from tuneproof.engine.data.row_keys import rest_of
from tuneproof.engine.data.row_shape import Problems, RowShape

HASHES = ("_input_hash", "_task_hash")
ANSWER_KEYS = ("answer", "accept", "options", "label", "spans", "user_input", "config", "tokens", "relations", "html")
"""Keys with the answer, and with what is only for showing the task."""


class _Rejected(str):
    """In place of an output: the annotator says that the label is not right. How many others say so is known at the end of the file."""


def _convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    if row.get("answer") == "ignore":
        raise NotToLearn("its annotator skipped it (`answer`)")
    fields = {key: value for key, value in row.items() if not key.startswith("_") and key not in ANSWER_KEYS}
    name = text_field(fields)
    if row.get("relations"):
        notes.add(UnusedKey("relations", KeyPlace.ROW, "how spans belong together is not learned"))
    rejected = row.get("answer") == "reject"
    output = _Rejected("rejected") if rejected else output_of({"answer": _answer(row, text_cell(row, name))})
    metadata = rest_of(row, {name, *ANSWER_KEYS})
    return Example("", text_cell(row, name), output, source, metadata=metadata)


def _answer(row: Mapping[str, Any], text: str) -> Any:
    if isinstance(row.get("accept"), list):
        return _choice(row)
    if row.get("user_input"):
        return row["user_input"]
    if isinstance(row.get("label"), str) and not row.get("spans"):
        return row["label"]
    if isinstance(row.get("spans"), list):
        return spans_of(objects_of(row["spans"], "spans"), text)
    raise RowError("the task has no answer that can be learned: no `accept`, `label`, `spans` or `user_input`")


def _choice(row: Mapping[str, Any]) -> LabelList:
    """The options that were chosen, by their ids, or by their texts where the ids are only numbers."""
    options = objects_of(row.get("options"), "options")
    texts = {option["id"]: option.get("text") for option in options if isinstance(option.get("id"), int)}
    several = isinstance(row.get("config"), dict) and row["config"].get("choice_style") == "multiple"
    if not row["accept"] and not several:
        raise NotToLearn("no option was chosen (`accept` is empty)")
    chosen = [texts.get(option) if isinstance(option, int) and texts.get(option) is not None else option for option in row["accept"]]
    return LabelList.of(chosen, stays=several)


def _task(example: Example) -> Hashable | None:
    task = example.metadata.get("_task_hash")
    return task if isinstance(task, int | str) else None


def _settle(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    kept = []
    for example in one_row_a_task(examples, problems, notes, _task):
        if isinstance(example.output, _Rejected):
            problems.append((example.source, NothingToLearn("its annotator rejected it (`answer`)")))
        else:
            kept.append(example)
    return with_labels(kept)


PRODIGY = (RowShape("Prodigy export", frozenset(HASHES), _convert, settle=_settle),)
