"""Repairing an answer that should be a list of labels: the labels are right, and how they are listed is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import json_repair

from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.data.json_document import bracketed_spans
from tuneproof.engine.scoring.label_lists import write_labels
from tuneproof.engine.scoring.label_spelling import plain_label

_BETWEEN = re.compile(r"[,;|\n]|\s+(?:and|&)\s+", re.IGNORECASE)
_AROUND = re.compile(r"^(?:[-*•]|\d+[.)])\s+|^[\s\"'`*\[]+|[\s\"'`*\].]+$")
_FENCE = re.compile(r"^\s*```.*$", re.MULTILINE)


def list_of_labels(text: str, choices: Sequence[str], style: ListStyle) -> str | None:
    """The list in the style of the task; None unless every part of the text is one of the labels, but for case and spacing.

    Read are the JSON lists in the text, then the text as a list with any separator, with bullets, and after a colon.
    """
    known: dict[str, list[str]] = {}
    for choice in choices:
        known.setdefault(plain_label(choice), []).append(choice)
    for parts in _readings(text):
        named = [known.get(plain_label(part), []) for part in parts]
        if named and all(len(found) == 1 for found in named):
            return write_labels(list(dict.fromkeys(found[0] for found in named)), style)
    return None


def _readings(text: str) -> Iterator[list[str]]:
    for span in bracketed_spans(text):
        try:
            value = json_repair.loads(span)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield [str(item) for item in value]
    bare = _FENCE.sub("", text)
    for part in (bare, bare.rpartition(":")[2]):
        yield [cleaned for piece in _BETWEEN.split(part) if (cleaned := _without_marks(piece))]


def _without_marks(text: str) -> str:
    before = None
    while before != text:
        before, text = text, _AROUND.sub("", text.strip())
    return text
