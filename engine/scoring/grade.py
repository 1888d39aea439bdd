"""The grade of one output, what a grader is, and the classes of failures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from tuneproof.engine.case.task import Metric


class FailureClass(StrEnum):
    """Why an output is not correct; the first class that applies, from the whole output to its values."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    NOT_PARSEABLE = "not parseable"
    EXTRA_TEXT = "extra text"
    NO_CALL = "no call"
    """An answer in words where a tool has to be called."""
    UNWANTED_CALL = "unwanted call"
    """A call where none is wanted."""
    WRONG_TOOL = "wrong tool"
    """A call is missing, or calls another tool, or is one too many."""
    WRONG_SHAPE = "wrong shape"
    UNKNOWN_LABEL = "unknown label"
    """A list with a label that is none of the choices."""
    MISSING_LABEL = "missing label"
    """Of several labels, some are not named, and all that are named are right."""
    EXTRA_LABEL = "extra label"
    """Of several labels, all are named, and others too."""
    BROKEN_RULE = "broken rule"
    WRONG_VALUE = "wrong value"
    LOW_SCORE = "low score"
    """A valid answer whose score is below `task.pass_score`, in a metric that gives each answer a score."""
    ENDPOINT_ERROR = "endpoint_error"
    """No answer at all: a failure of the server, not of the model."""


@dataclass(frozen=True)
class Labels:
    """The labels that an output should have named, and those that it named; none if it does not have the format."""

    expected: tuple[str, ...]
    answered: tuple[str, ...] = ()

    @property
    def right(self) -> int:
        """How many of the expected labels are answered."""
        return len(set(self.expected) & set(self.answered))

    @property
    def f1(self) -> float:
        """The F1 of this case alone; 1 where nothing is expected and nothing answered."""
        total = len(self.expected) + len(self.answered)
        return 2 * self.right / total if total else 1.0


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


def unparsed_grade(output: str, truncated: bool, otherwise: FailureClass) -> Grade:
    """The grade of an output whose answer cannot be parsed; `otherwise` is its class if no more specific one applies."""
    if truncated:
        return Grade(False, False, FailureClass.TRUNCATED)
    if not output.strip():
        return Grade(False, False, FailureClass.EMPTY)
    if REFUSAL_PATTERN.search(output):
        return Grade(False, False, FailureClass.REFUSED)
    return Grade(False, False, otherwise)
