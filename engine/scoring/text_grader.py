"""The grader of free texts."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.answer_rules import AnswerRules
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.grade import REFUSAL_PATTERN, FailureClass, Grade, unparsed_grade
from tuneproof.engine.scoring.prose import PROSE_SCORES, ROUNDING

MOST_GRADES_KEPT = 20_000


class TextGrader:
    """Any text that is not truncated and keeps the rules.

    Correct if the comparison of the task takes it for the expected one; under a metric of prose, if it scores `pass_score` or more in that.
    The scores do not depend on the rules; a text that was cut off scores nothing.
    """

    def __init__(
        self,
        metric: Metric = Metric.EXACT_MATCH,
        pass_score: float = 1.0,
        rules: AnswerRules | None = None,
        comparison: Comparison | None = None,
    ) -> None:
        self._metric, self._pass_score, self.rules = metric, pass_score, rules or AnswerRules(())
        self._comparison = comparison or Comparison()
        self._graded: dict[tuple[str, str, bool], Grade] = {}

    def __reduce__(self) -> tuple[type[TextGrader], tuple[Metric, float, AnswerRules, Comparison]]:
        return TextGrader, (self._metric, self._pass_score, self.rules, self._comparison)

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        # Every metric, every comparison and every table of a card asks again.
        key = (output, expected, truncated)
        if key not in self._graded:
            if len(self._graded) >= MOST_GRADES_KEPT:
                self._graded.clear()
            self._graded[key] = self._grade(self._answer(output), self._answer(expected), truncated)
        return self._graded[key]

    def problem(self, expected: str) -> str | None:
        text = self._comparison.answer_of(expected)
        # An output without a text is another finding.
        broken = self.rules.broken(text) if text.strip() else ()
        return f"breaks {'a rule' if len(broken) == 1 else f'{len(broken)} rules'}: {'; '.join(broken)}" if broken else None

    def description(self) -> str:
        return self.rules.in_words()

    def _answer(self, output: str) -> str:
        return self._comparison.answer_of(output).strip()

    def _grade(self, output: str, expected: str, truncated: bool) -> Grade:
        broken = self.rules.broken(output)
        if truncated or not output:
            return replace(unparsed_grade(output, truncated, FailureClass.WRONG_VALUE), fields=broken)
        scores = {Metric.EXACT_MATCH: 1.0} if self._comparison.same_text(output, expected) else {}
        if self._metric in PROSE_SCORES:
            scores[self._metric] = PROSE_SCORES[self._metric](output, expected)
        passes = scores.get(self._metric, 0.0) >= self._pass_score - ROUNDING
        if passes and not broken:
            return Grade(True, True, scores=scores)
        if not passes and REFUSAL_PATTERN.search(output):
            failure = FailureClass.REFUSED
        elif broken:
            failure = FailureClass.BROKEN_RULE
        else:
            failure = FailureClass.LOW_SCORE if self._metric in PROSE_SCORES else FailureClass.WRONG_VALUE
        return Grade(not broken, False, failure, broken, scores)
