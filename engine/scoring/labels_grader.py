"""The grader of several labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.case.task import Metric
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.comparison.known_labels import KnownLabels
from tuneproof.engine.scoring.grade import FailureClass, Grade, Labels, unparsed_grade
from tuneproof.engine.scoring.label_lists import read_labels, write_labels

DESCRIPTIONS = {
    ListStyle.JSON: "Answer with a JSON list of those that apply",
    ListStyle.COMMAS: "Answer with those that apply, separated by commas",
    ListStyle.SEMICOLONS: "Answer with those that apply, separated by semicolons",
    ListStyle.BARS: "Answer with those that apply, separated by |",
    ListStyle.LINES: "Answer with those that apply, each on a line of its own",
}


class LabelsGrader:
    """A list of known labels in any order; one that is named twice counts once.

    It is correct if it names all of the expected labels and no other.

    Raises CaseError for a label that has the separator in it, which no answer could name.
    """

    def __init__(self, choices: Sequence[str], style: ListStyle, comparison: Comparison | None = None) -> None:
        self.choices, self.style, self._comparison = list(choices), style, comparison or Comparison()
        self._known = KnownLabels(choices, self._comparison)
        separator = style.separator
        if separator and (broken := next((label for label in choices if separator in label), None)):
            what = f"the label `{broken[:60]}` has the separator of the labels in it"
            raise CaseError(what, where="task.output.choices", fix="set task.output.list_style to another one, such as json")

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output = self._comparison.answer_of(output).strip()
        wanted = self._expected(self._comparison.answer_of(expected))
        named = None if truncated else read_labels(output, self.style)
        answered = None if named is None else self._known.all_of(named)
        if answered is None:
            return replace(self._unreadable(output, named, truncated), labels=Labels(wanted))
        missing, extra = [each for each in wanted if each not in answered], [each for each in answered if each not in wanted]
        labels, answer = Labels(wanted, answered), write_labels(sorted(answered), self.style)
        if not missing and not extra:
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0}, labels=labels, answer=answer)
        failure = FailureClass.WRONG_VALUE if missing and extra else FailureClass.MISSING_LABEL if missing else FailureClass.EXTRA_LABEL
        return Grade(True, False, failure, (*missing, *extra), labels=labels, answer=answer)

    def problem(self, expected: str) -> str | None:
        labels = read_labels(self._comparison.answer_of(expected), self.style)
        if labels is None:
            return f"not a list of labels, written as {self.style} (task.output.list_style)"
        unknown = next((label for label in labels if self._known.find(label) is None), None)
        return None if unknown is None else f"`{unknown[:60]}` is not one of the choices"

    def description(self) -> str:
        return f"{DESCRIPTIONS[self.style]}, and with nothing else: {', '.join(self.choices)}."

    def _expected(self, text: str) -> tuple[str, ...]:
        # The audit reports an expected output that is no list; it counts as one label that no answer has.
        labels = read_labels(text, self.style)
        return (text.strip(),) if labels is None else tuple(dict.fromkeys(self._known.find(label) or label for label in labels))

    def _unreadable(self, output: str, answered: tuple[str, ...] | None, truncated: bool) -> Grade:
        """The grade of an answer that is no list of known labels."""
        if answered is not None and all(map(self._is_near_label, answered)):
            return Grade(False, False, FailureClass.UNKNOWN_LABEL)
        inside = any(re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", output) for choice in self.choices)
        return unparsed_grade(output, truncated, FailureClass.EXTRA_TEXT if inside else FailureClass.NOT_PARSEABLE)

    def _is_near_label(self, text: str) -> bool:
        """Whether a part of a list is as short as labels are, and not a sentence around them."""
        return len(text) <= max(map(len, self.choices), default=0) + LONGER_BY


LONGER_BY = 10
"""Characters that an unknown label may be longer than the longest known one."""
