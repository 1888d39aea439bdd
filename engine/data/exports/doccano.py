"""Exports of doccano: JSONL of text classification, sequence labelling and sequence to sequence.

https://doccano.github.io/doccano/tutorial/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tuneproof.engine.data.cells import NotToLearn, list_of, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.exports.answers import output_of, spans_of
from tuneproof.engine.data.labels import LabelList, with_labels
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnusedKey
from tuneproof.engine.data.row_keys import rest_of
from tuneproof.engine.data.row_shape import Problems, RowShape

TEXT_KEYS = ("text", "data")
LABEL_KEYS = ("label", "labels", "annotations", "entities")
OWN_KEYS = {"Comments", "comments", "annotation_approver", "relations", "meta", "cats", "is_confirmed"}
"""Keys that tell an export of doccano from other rows with a text and a list of labels."""


def _convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    key, label_key = _text_key(row), _label_key(row)
    text, labels = text_cell(row, key), list_of(row.get(label_key), label_key)
    if not labels and label_key != "entities":
        raise NotToLearn("it has no label")
    if row.get("relations"):
        notes.add(UnusedKey("relations", KeyPlace.ROW, "how spans belong together is not learned"))
    spans = _spans(labels)
    if spans is not None:
        answer: Any = spans_of(spans, text)
    else:
        if any(isinstance(label, dict) and isinstance(label.get("label"), int) for label in labels):
            notes.add(UnusedKey(label_key, KeyPlace.ROW, "labels are numbers of the project, and their names are not in the export"))
        answer = LabelList.of([label.get("label", label.get("text")) if isinstance(label, dict) else label for label in labels])
    metadata = rest_of(row, {key, label_key, "Comments", "comments", "relations"})
    return Example("", text, output_of({"label": answer}), source, metadata=metadata)


def _spans(labels: list[Any]) -> list[Mapping[str, Any]] | None:
    """The spans of a list of labels; None if the labels are of the whole text."""
    if labels and all(isinstance(label, list) and len(label) == 3 for label in labels):
        return [{"start": start, "end": end, "label": label} for start, end, label in labels]
    if all(isinstance(label, dict) and ("start_offset" in label or "start" in label) for label in labels):
        return list(labels)
    return None


def _text_key(row: Mapping[str, Any]) -> str:
    return next((key for key in TEXT_KEYS if isinstance(row.get(key), str)), TEXT_KEYS[0])


def _label_key(row: Mapping[str, Any]) -> str:
    return next((key for key in LABEL_KEYS if isinstance(row.get(key), list)), LABEL_KEYS[0])


def _is_doccano(row: Mapping[str, Any]) -> bool:
    has_text = any(isinstance(row.get(key), str) for key in TEXT_KEYS)
    return has_text and any(isinstance(row.get(key), list) for key in LABEL_KEYS) and not OWN_KEYS.isdisjoint(row)


def _settle(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    """Several labels are alternatives if they are texts of their own, as for sequence to sequence: the first is the output."""
    lists = [example.output for example in examples if isinstance(example.output, LabelList)]
    named = [label for output in lists for label in output.labels]
    if not (any(len(output.labels) > 1 for output in lists) and len(set(named)) > len(named) / 2 and any(" " in label for label in named)):
        return with_labels(examples)
    kept = []
    for example in examples:
        if isinstance(example.output, LabelList) and len(example.output.labels) > 1:
            notes.add(UnusedKey("label", KeyPlace.ROW, "only the first of several texts is learned and scored"))
            notes.keep(example.source)
            example = replace(example, output=LabelList.of(example.output.labels[:1]))
        kept.append(example)
    return with_labels(kept)


DOCCANO = (RowShape("doccano export", frozenset({"id"}), _convert, _is_doccano, _settle),)
