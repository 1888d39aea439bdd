"""The form that the tuning has taught: what an answer to an unrelated request must not look like."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.scoring.grade import Grader

FENCED = re.compile(r"\A```[\w-]*\n(?P<inside>.*?)\n?```\Z", re.DOTALL)
"""A whole answer in a Markdown fence."""

_BEGUN_JSON = re.compile(r"""\A[{\[]\s*["{\[]""")

NAMES = {
    OutputKind.JSON: "JSON",
    OutputKind.CHOICE: "one of the labels",
    OutputKind.LABELS: "a list of labels",
    OutputKind.PATTERN: "a text that matches the pattern",
    OutputKind.TOOL_CALLS: "a call of a tool",
}


def unfenced(text: str) -> str:
    """The text without the Markdown fence that it stands in as a whole."""
    found = FENCED.match(text.strip())
    return found["inside"] if found else text.strip()


@dataclass(frozen=True)
class TrainedForm:
    """The form of the answers of the task; `kind` is never text, which is no form."""

    kind: OutputKind
    grader: Grader

    @classmethod
    def of(cls, task: Task | None, grader: Grader | None) -> TrainedForm | None:
        """The form of a task; None where any text is valid."""
        if task is None or grader is None or task.output.kind is OutputKind.TEXT:
            return None
        return cls(task.output.kind, grader)

    @property
    def name(self) -> str:
        """The form in a few words."""
        return NAMES[self.kind]

    def has(self, answer: str, *, truncated: bool) -> bool:
        """Whether an answer has the form: as the grader of the task says, and for JSON any object or list, also one that was cut."""
        text = unfenced(answer)
        if not text:
            return False
        if self.kind is OutputKind.JSON:
            return _is_json(text) or (truncated and _BEGUN_JSON.match(text) is not None)
        return self.grader.grade(text, "").format_valid


def _is_json(text: str) -> bool:
    if text[:1] not in "{[":
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
