"""What the task step shows of each field: in a line of its form, and whole."""

from __future__ import annotations

import json

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run.artifacts import DataFacts
from tuneproof.engine.session.base_check import describe_base
from tuneproof.engine.session.comparison_form import describe_comparison
from tuneproof.engine.session.own_example import own_example
from tuneproof.engine.session.task_form import TaskField, describe_target, split_of, task_of

KIND_MEANINGS = {
    OutputKind.JSON: "a JSON object; a schema says which fields it has",
    OutputKind.CHOICE: "one of a few labels",
    OutputKind.LABELS: "several of a few labels, in a list",
    OutputKind.PATTERN: "a text in which a regular expression finds the answer",
    OutputKind.TOOL_CALLS: "calls of tools; right by name and arguments, in any order",
    OutputKind.TEXT: "free text, scored by its metric, and held to rules if the case has any",
}

METRIC_MEANINGS = {
    Metric.EXACT_MATCH: "the whole answer is right",
    Metric.FIELD_ACCURACY: "the share of the fields, or of tools and arguments, that are right",
    Metric.CHOICE_ACCURACY: "the label is right",
    Metric.MACRO_F1: "F1 averaged over the labels, so that rare labels count as much as common ones",
    Metric.TOOL_ACCURACY: "the right tools are called, whatever the arguments",
    Metric.PATTERN_MATCH: "what the pattern finds is right",
    Metric.PREFERENCE: "what a judge prefers; needs a model as the judge (judge)",
    Metric.SCRIPT: "what your own script gives the answer, between 0 and 1",
    Metric.MICRO_F1: "F1 over all labels of all cases together, so that each label named counts as much",
    Metric.CHRF: "how much of the expected text is there, in runs of characters (chrF)",
    Metric.ROUGE_L: "the words of the expected text that are there in its order (ROUGE-L)",
    Metric.TOKEN_F1: "the words shared with the expected text, in any order (F1, as in SQuAD)",
    Metric.CONTAINS: "the expected text is in the answer",
}

NO_INSTRUCTION = "none: the model gets only the input"
LABELS_OF_TRAIN = "the labels in the training rows"


def value_line(field: TaskField, content: DraftCase, bounds: str, found: DataFacts | None = None) -> str:
    """The value of a field in one line; `bounds` is what it shows for those, and `found` is None before the examples are read."""
    task = task_of(content)
    match field:
        case TaskField.INSTRUCTION:
            return _first_line(task.instruction) if task.instruction else NO_INSTRUCTION
        case TaskField.OUTPUT_KIND:
            return f"{task.output.kind}: {KIND_MEANINGS[task.output.kind]}"
        case TaskField.SCHEMA:
            return _schema_line(task.output)
        case TaskField.CHOICES:
            return ", ".join(task.output.choices) if task.output.choices else LABELS_OF_TRAIN
        case TaskField.PATTERN:
            return task.output.pattern or ""
        case TaskField.BOUNDS:
            return bounds
        case TaskField.METRIC:
            return f"{task.primary_metric}: {METRIC_MEANINGS[task.primary_metric]}"
        case TaskField.COMPARED:
            return describe_comparison(task)
        case TaskField.TARGET:
            return describe_target(content.target)
        case TaskField.BASE:
            return content.model.base if content.model else "none"
        case TaskField.SHARES:
            return _shares_line(content, found)
        case TaskField.KEEP_TOGETHER:
            return split_of(content).group_by or "rows with the same request"


WITH_EXAMPLE = {TaskField.INSTRUCTION, TaskField.OUTPUT_KIND, TaskField.METRIC, TaskField.COMPARED, TaskField.TARGET}
"""What a row of the user's own data makes clear."""


def whole_with_example(field: TaskField, content: DraftCase, bounds: str, found: DataFacts | None) -> str:
    """The whole value of a field, and a row of the data where it makes clear what the field is about."""
    shown, example = whole_value(field, content, bounds, found), own_example(found)
    return f"{shown}\nYour first row: {example}" if example is not None and field in WITH_EXAMPLE else shown


def whole_value(field: TaskField, content: DraftCase, bounds: str, found: DataFacts | None = None) -> str:
    """The whole value of a field, with its lines."""
    output = task_of(content).output
    match field:
        case TaskField.INSTRUCTION:
            return task_of(content).instruction or NO_INSTRUCTION
        case TaskField.SCHEMA if output.json_schema:
            return json.dumps(output.json_schema, indent=2, ensure_ascii=False)
        case TaskField.CHOICES if output.choices:
            return "\n".join(output.choices)
        case TaskField.BOUNDS:
            return bounds.replace("; ", "\n")
        case TaskField.BASE if content.model is not None:
            return f"{content.model.base}\n{describe_base(content.model.base)}"
    return value_line(field, content, bounds, found)


def _shares_line(content: DraftCase, found: DataFacts | None) -> str:
    split, named = split_of(content), found.parts_by_name if found is not None else {}
    validation = "validation taken by its name" if Part.VALIDATION in named else f"validation {split.validation:g}"
    scored = "eval taken by its name" if Part.EVAL in named else f"eval {split.eval:g}"
    if content.data is not None and content.data.eval:
        scored = "a separate eval file"
    return f"train {split.train:g}, {validation}, {scored}"


def _first_line(text: str) -> str:
    lines = text.splitlines()
    return f"({len(lines)} lines) {lines[0]}" if len(lines) > 1 else text


def _schema_line(output: OutputFormat) -> str:
    schema = output.json_schema
    if not isinstance(schema, dict):
        return "any JSON"
    names = list(schema.get("properties", {}))
    return f"{len(names)} fields: {', '.join(names)}" if names else "a JSON Schema"
