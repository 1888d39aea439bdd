"""The grader of texts that mark their answer."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.answer_pattern import MATCH_SECONDS, AnswerPattern
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.grade import FailureClass, Grade, unparsed_grade

NO_MATCH = "it does not match task.output.pattern"


class PatternGrader:
    """A text that contains the pattern; the answer is the first group of its last match before the text goes on to another request."""

    def __init__(self, pattern: str, comparison: Comparison | None = None) -> None:
        self._pattern, self._comparison = AnswerPattern(pattern), comparison or Comparison()

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = self._comparison.answer_of(output), self._comparison.answer_of(expected)
        answer, wanted = self._answer(output), self._answer(expected)
        # Right is what the pattern finds; an exact match is the whole text.
        whole = {Metric.EXACT_MATCH: 1.0} if output.strip() == expected.strip() else {}
        if answer is None:
            return replace(unparsed_grade(output, truncated, FailureClass.NOT_PARSEABLE), scores=whole)
        if wanted is not None and self._comparison.same_found(answer, wanted):
            return Grade(True, True, scores={Metric.PATTERN_MATCH: 1.0, **whole}, answer=answer)
        return Grade(True, False, FailureClass.WRONG_VALUE, scores=whole, answer=answer)

    def problem(self, expected: str) -> str | None:
        text = self._comparison.answer_of(expected)
        if self._answer(text) is not None:
            return None
        return f"task.output.pattern takes longer than {MATCH_SECONDS:g} s on it" if self._pattern.was_too_slow(text) else NO_MATCH

    def description(self) -> str:
        return f"The answer must match the regular expression {self._pattern.text}"

    def _answer(self, text: str) -> str | None:
        return self._comparison.found_in(text, self._pattern)
