"""The grader of labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tuneproof.engine.case.task import Metric
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.grade import FailureClass, Grade, Labels, unparsed_grade


class ChoiceGrader:
    """Exactly one of the labels, outer white space aside."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = list(choices)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = answer_of(output), answer_of(expected).strip()
        answer = output.strip()
        if answer not in self.choices:
            inside = any(re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", answer) for choice in self.choices)
            unparsed = unparsed_grade(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
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
