"""The answers to the questions of one labelling task, as an output: one answer, or an object of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuneproof.engine.data.cells import NotToLearn, output_cell
from tuneproof.engine.data.labels import LabelList


def output_of(answers: Mapping[str, Any]) -> str:
    """The output for the answers to the questions of a task: the only answer, or a JSON object with each question's. Raises RowError."""
    if not answers:
        raise NotToLearn("nobody has answered it")
    if len(answers) == 1:
        ((name, answer),) = answers.items()
        return answer if isinstance(answer, str) else output_cell({name: answer}, name)
    return json.dumps({name: _value(answer) for name, answer in answers.items()}, ensure_ascii=False)


def _value(answer: Any) -> Any:
    if isinstance(answer, LabelList):
        return answer.labels[0] if len(answer.labels) == 1 and not answer.stays else list(answer.labels)
    return answer


def spans_of(spans: Sequence[Mapping[str, Any]], text: str) -> list[dict[str, Any]]:
    """Labelled spans of a text: where each begins and ends, its text and its label; `text` fills in what the export does not repeat."""
    found = []
    for span in spans:
        start, end = span.get("start", span.get("start_offset")), span.get("end", span.get("end_offset"))
        said = span.get("text")
        if said is None and isinstance(start, int) and isinstance(end, int):
            said = text[start:end]
        label = span.get("labels", span.get("hypertextlabels", span.get("label")))
        if isinstance(label, list) and len(label) == 1:
            label = label[0]
        found.append({"start": start, "end": end, "text": said, "label": label})
    return found
