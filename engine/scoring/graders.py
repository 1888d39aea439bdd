"""The grader of a task, by its output kind."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.run.grading_rules import CURRENT_RULES, GradingRules
from tuneproof.engine.scoring.answer_rules import AnswerRules
from tuneproof.engine.scoring.choice_grader import ChoiceGrader
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.json_grader import JsonGrader
from tuneproof.engine.scoring.label_lists import label_list
from tuneproof.engine.scoring.labels_grader import LabelsGrader
from tuneproof.engine.scoring.pattern_grader import PatternGrader
from tuneproof.engine.scoring.text_grader import TextGrader
from tuneproof.engine.scoring.tool_calls import ToolCallGrader


def make_grader(task: Task, labels: Sequence[str], rules: GradingRules = CURRENT_RULES) -> Grader:
    """The grader of a task; `labels` are the outputs of train, which are the choices if the case names none.

    `rules` are those that the run began with. Raises CaseError if `task.output.schema` cannot be used.
    """
    comparison = Comparison.of(task, rules)
    match task.output.kind:
        case OutputKind.JSON:
            schema = task.output.json_schema
            return JsonGrader(schema if isinstance(schema, dict) else None, comparison)
        case OutputKind.CHOICE:
            return ChoiceGrader(task.output.choices or sorted({comparison.answer_of(label).strip() for label in labels}), comparison)
        case OutputKind.LABELS:
            return LabelsGrader(*label_list(task.output, labels), comparison)
        case OutputKind.PATTERN:
            return PatternGrader(task.output.pattern or "", comparison)
        case OutputKind.TOOL_CALLS:
            return ToolCallGrader(comparison)
        case OutputKind.TEXT:
            return TextGrader(task.primary_metric, task.pass_score, AnswerRules(task.rules), comparison)
