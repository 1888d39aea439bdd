"""Several labels in one text: read, written, and how train writes them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.case.task import OutputFormat
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.json_values import parse_json

MOSTLY = 0.9
"""The share of different texts that are JSON lists, from which lists are written as JSON."""


def read_labels(text: str, style: ListStyle) -> tuple[str, ...] | None:
    """The labels of a text in their order, each once, outer white space aside; None if it is no list, or has an empty one."""
    separator = style.separator
    if separator is not None:
        labels = [part.strip() for part in text.strip().split(separator)]
    else:
        try:
            value = parse_json(text)
        except ValueError:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return None
        labels = [item.strip() for item in value]
    return tuple(dict.fromkeys(labels)) if all(labels) else None


def write_labels(labels: Sequence[str], style: ListStyle) -> str:
    """Labels as a text."""
    if style.separator is None:
        return json.dumps(list(labels), ensure_ascii=False)
    return ("\n" if style is ListStyle.LINES else f"{style.separator} ").join(labels)


def style_of(texts: Iterable[str]) -> ListStyle:
    """How the different texts write their labels: as JSON if nearly all do, else with the separator that most of them have."""
    different = {text.strip() for text in texts if text.strip()}
    if different and sum(read_labels(text, ListStyle.JSON) is not None for text in different) >= MOSTLY * len(different):
        return ListStyle.JSON
    found = {style: sum(style.separator in text for text in different) for style in _WITH_SEPARATOR if style.separator}
    most = max(found, key=lambda style: found[style])
    return most if found[most] else ListStyle.COMMAS


_WITH_SEPARATOR = (ListStyle.LINES, ListStyle.SEMICOLONS, ListStyle.BARS, ListStyle.COMMAS)
"""Of equally frequent ones the first, as a comma may be part of a label."""


def labels_in(texts: Iterable[str], style: ListStyle) -> list[str]:
    """The different labels of texts, sorted; texts that are no lists name none."""
    return sorted({label for text in texts for label in read_labels(text, style) or ()})


def label_list(output: OutputFormat, outputs: Collection[str]) -> tuple[list[str], ListStyle]:
    """The labels of a task of kind labels and how they are written: as the case says, else as the outputs of train have it."""
    answers = [answer_of(text) for text in outputs]
    style = output.list_style or style_of(answers)
    return output.choices or labels_in(answers, style), style
