"""The grader of a task: one file for each output kind, and here the one of any text."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.case.task import Metric, OutputKind, Task
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.choice_grader import ChoiceGrader
from tuneproof.engine.scoring.grade import REFUSAL_PATTERN, FailureClass, Grade, Grader, unparsed_grade
from tuneproof.engine.scoring.json_grader import JsonGrader
from tuneproof.engine.scoring.pattern_grader import PatternGrader
from tuneproof.engine.scoring.tool_calls import ToolCallGrader


def make_grader(task: Task, labels: Sequence[str]) -> Grader:
    """The grader of a task; `labels` are the outputs of train, which are the choices if the case names none.

    Raises CaseError if `task.output.schema` cannot be used.
    """
    match task.output.kind:
        case OutputKind.JSON:
            schema = task.output.json_schema
            return JsonGrader(schema if isinstance(schema, dict) else None)
        case OutputKind.CHOICE:
            return ChoiceGrader(task.output.choices or sorted({answer_of(label).strip() for label in labels}))
        case OutputKind.PATTERN:
            return PatternGrader(task.output.pattern or "")
        case OutputKind.TOOL_CALLS:
            return ToolCallGrader()
        case OutputKind.TEXT:
            return TextGrader()


class TextGrader:
    """Any text that is not truncated; correct if it equals the expected one, outer white space aside."""

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output, expected = answer_of(output), answer_of(expected)
        if truncated or not output.strip():
            return unparsed_grade(output, truncated, FailureClass.WRONG_VALUE)
        if output.strip() == expected.strip():
            return Grade(True, True, scores={Metric.EXACT_MATCH: 1.0})
        refused = bool(REFUSAL_PATTERN.search(output))
        return Grade(True, False, FailureClass.REFUSED if refused else FailureClass.WRONG_VALUE)

    def problem(self, expected: str) -> str | None:
        return None

    def description(self) -> str:
        return ""
