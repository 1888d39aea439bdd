"""Why an answer passed or failed, in a sentence."""

from __future__ import annotations

from tuneproof.engine.case.metric import PROSE
from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.scoring.grade import FailureClass, Grader
from tuneproof.engine.scoring.predictions import Prediction


def reason_of(task: Task, prediction: Prediction, grader: Grader) -> str:
    """Why the prediction is correct or not."""
    if prediction.failure_class is None:
        return f"passes: {_passed(task, prediction, grader)}"
    return f"fails ({prediction.failure_class}): {_failed(task, prediction, grader)}"


def _passed(task: Task, prediction: Prediction, grader: Grader) -> str:
    score = _score(task, prediction, grader)
    if score is not None:
        return f"it scores {score:.2f} in {task.primary_metric}, and {task.pass_score:g} is enough"
    match task.output.kind:
        case OutputKind.JSON | OutputKind.TOOL_CALLS:
            return "every field is as expected"
        case OutputKind.CHOICE | OutputKind.LABELS:
            return "it names what is expected"
        case OutputKind.PATTERN:
            return "what the pattern finds is as expected"
        case OutputKind.TEXT:
            return "the text is as expected"


def _failed(task: Task, prediction: Prediction, grader: Grader) -> str:
    named, kind = ", ".join(prediction.fields), task.output.kind
    match prediction.failure_class:
        case FailureClass.EMPTY:
            return "there is no text in it"
        case FailureClass.TRUNCATED:
            return f"it reached its limit of {prediction.output_tokens} tokens before its end"
        case FailureClass.REFUSED:
            return "it refuses in words"
        case FailureClass.NOT_PARSEABLE:
            return f"it does not have the format of the task ({kind})"
        case FailureClass.EXTRA_TEXT:
            return "an answer is in it, with other text around it"
        case FailureClass.NO_CALL:
            return "it answers in words where a tool has to be called"
        case FailureClass.UNWANTED_CALL:
            return "it calls a tool where none is wanted"
        case FailureClass.WRONG_TOOL:
            return f"the tools that it calls are others: {named}" if named else "the tools that it calls are others"
        case FailureClass.WRONG_SHAPE:
            return f"it breaks the schema at {named}"
        case FailureClass.UNKNOWN_LABEL:
            return f"it names what is none of the labels: {named}" if named else "it names what is none of the labels"
        case FailureClass.MISSING_LABEL | FailureClass.EXTRA_LABEL:
            return f"the labels differ in {named}" if named else "the labels differ"
        case FailureClass.BROKEN_RULE:
            return f"it breaks: {named}"
        case FailureClass.LOW_SCORE:
            score = _score(task, prediction, grader)
            got = f"{score:.2f}" if score is not None else "less"
            return f"it scores {got} in {task.primary_metric}, and {task.pass_score:g} would be enough"
        case FailureClass.ENDPOINT_ERROR:
            return f"the server gave no answer: {prediction.unanswered}"
        case FailureClass.WRONG_VALUE | None:
            if kind in (OutputKind.JSON, OutputKind.TOOL_CALLS) and named:
                return f"the format is right, and the value of {named} is not"
            return "the format is right, and the answer is another than expected" if kind is not OutputKind.TEXT else "the text is another"


def _score(task: Task, prediction: Prediction, grader: Grader) -> float | None:
    """The score of the answer, for a metric that gives each one between 0 and 1."""
    if prediction.outside is not None:
        return prediction.outside.value
    if task.primary_metric not in PROSE:
        return None
    grade = grader.grade(prediction.answer, prediction.expected, truncated=prediction.truncated)
    return grade.scores.get(task.primary_metric, 0.0)
