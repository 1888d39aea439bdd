"""What a route's next step is with this program: the keys of the case that it needs, and what it does not do."""

from __future__ import annotations

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.route import ENOUGH_EXAMPLES, Route, RouteAnswers, choose_route
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import OutputKind


def steps_here(content: DraftCase, answers: RouteAnswers) -> list[str]:
    """The steps that the case still lacks on its route."""
    match choose_route(answers):
        case Route.RAG:
            return _retrieval(content)
        case Route.TOOLING:
            return _tooling(content)
        case Route.PROMPT:
            return _prompt(answers)
        case Route.ALIGNMENT:
            return [
                "tuneproof trains no preferences: it measures the prompts, and with task.metric: preference a judge compares answers",
                "Train on the pairs with a library for it, such as TRL (DPOTrainer), and judge the result on eval cases that no pair has",
            ]
        case Route.GUARD:
            return [
                "tuneproof measures no guard yet: write requests to refuse and harmless ones that look alike, and count both kinds of error"
            ]
        case Route.FINE_TUNING:
            return []


def _retrieval(content: DraftCase) -> list[str]:
    steps = []
    if content.data is None or content.data.documents is None:
        steps.append("Put the documents into a folder as .txt or .md files, and name it in the case: data.documents: FOLDER")
    if ArmName.RETRIEVAL not in content.baselines:
        steps.append("Set baselines: [zero_shot, few_shot, retrieval] in the case: retrieval puts the best passages into the prompt")
    steps.append(
        "Give each example a field `source` with the file that has its answer: the share of prompts with the right passage is then "
        "measured, which says whether the search misses the passage or the model misreads it"
    )
    return steps


def _tooling(content: DraftCase) -> list[str]:
    kind = content.task.output.kind if content.task else None
    if kind is None or kind is OutputKind.TEXT:
        return ["Give task.output a schema, choices or a pattern: then the arm constrained decodes under that grammar, and is measured"]
    if ArmName.CONSTRAINED not in content.baselines:
        return ["Add constrained to baselines: it decodes under the grammar of task.output"]
    return []


def _prompt(answers: RouteAnswers) -> list[str]:
    steps = ["Write the prompts that you would use under `prompts` in the case: each is an arm, measured beside zero_shot and few_shot"]
    lacking = ENOUGH_EXAMPLES - answers.labeled_examples
    if lacking > 0:
        steps.append(f"Collect {lacking:,} more examples: training is worth trying from {ENOUGH_EXAMPLES}")
    return steps
