"""The grader of labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.comparison.known_labels import KnownLabels
from tuneproof.engine.scoring.grade import FailureClass, Grade, Labels, unparsed_grade


class ChoiceGrader:
    """Exactly one of the labels, or what the comparison of the task takes for one; the answer is the label."""

    def __init__(self, choices: Sequence[str], comparison: Comparison | None = None) -> None:
        self.choices, self._comparison = list(choices), comparison or Comparison()
        self._known = KnownLabels(choices, self._comparison)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = self._comparison.answer_of(output), self._comparison.answer_of(expected).strip()
        answer, wanted = output.strip(), self._known.find(expected) or expected
        label = self._known.find(answer)
        if label is None:
            inside = any(re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", answer) for choice in self.choices)
            unparsed = unparsed_grade(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)
            return replace(unparsed, labels=Labels((wanted,)))
        labels = Labels((wanted,), (label,))
        if label == wanted:
            return Grade(True, True, scores={Metric.CHOICE_ACCURACY: 1.0, Metric.EXACT_MATCH: 1.0}, labels=labels, answer=label)
        return Grade(True, False, FailureClass.WRONG_VALUE, (wanted,), labels=labels, answer=label)

    def problem(self, expected: str) -> str | None:
        label = self._comparison.answer_of(expected).strip()
        return None if self._known.find(label) is not None else f"`{label[:60]}` is not one of the choices"

    def description(self) -> str:
        return f"Answer with exactly one of: {', '.join(self.choices)}."
