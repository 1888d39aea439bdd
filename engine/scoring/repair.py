"""Repairing answers as a tolerant parser does: the lightest fix of an answer whose content is right and whose format is not.

Only the task and the train outputs are looked at, never the expected answer, and an answer of the right format stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import json_repair

from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.data.json_document import bracketed_spans
from tuneproof.engine.run.grading_rules import CURRENT_RULES, GradingRules
from tuneproof.engine.scoring.comparison.comparison import Comparison
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.json_values import parse_json, parsed_documents
from tuneproof.engine.scoring.label_list_repair import list_of_labels
from tuneproof.engine.scoring.label_lists import label_list
from tuneproof.engine.scoring.label_spelling import SPACING, plain_label
from tuneproof.engine.scoring.tool_calls import calls_inside

LIBRARY = "json-repair"
"""The package that mends JSON; another version may mend it otherwise."""

Repair = Callable[[str], str | None]
"""Gives the repaired text of an answer; None if there is nothing to repair, or no way to."""


def make_repair(task: Task, outputs: Sequence[str], grader: Grader, rules: GradingRules = CURRENT_RULES) -> Repair:
    """The repair of a task's answers; `outputs` are those of train.

    JSON: the first document of the kind that train has, without the text and the code fence around it, with quotes, commas and brackets
    mended by json-repair, and with the keys and enumerated values of the schema in its spelling. Choice: the label, if the answer names
    exactly one, in any case and spacing. Labels: the list, in any style. Tool calls: the calls, without the text and the code fence around
    them. Other kinds have nothing to repair: any text is valid, or the pattern is found wherever it is. `rules` are those of the run.
    """
    answer_of = Comparison.of(task, rules).answer_of
    match task.output.kind:
        case OutputKind.JSON:
            schema = task.output.json_schema
            kinds = {type(value) for value in parsed_documents([answer_of(text) for text in outputs])} or {dict, list}
            mend: Repair = partial(_document, kinds=kinds, schema=schema)
        case OutputKind.CHOICE:
            mend = _label_finder(task.output.choices or sorted({answer_of(text).strip() for text in outputs}))
        case OutputKind.LABELS:
            choices, style = label_list(task.output, outputs)
            mend = partial(list_of_labels, choices=choices, style=style)
        case OutputKind.TOOL_CALLS:
            mend = calls_inside
        case _:
            return lambda output: None

    of_right_format = next((text for text in outputs if grader.problem(text) is None), None)

    def repair(output: str) -> str | None:
        # Any expected answer tells whether the format is right; which one it is only matters for what is correct.
        if of_right_format is not None and grader.grade(output, of_right_format).format_valid:
            return None
        return mend(answer_of(output))

    return repair


def _document(text: str, kinds: set[type], schema: Any) -> str | None:
    """The first document of one of these kinds, as JSON in one line; None if there is none."""
    for span in bracketed_spans(text):
        value = _value(span)
        if type(value) in kinds and value:
            return json.dumps(_in_spelling_of(schema, value), ensure_ascii=False)
    return None


def _value(span: str) -> Any:
    """What a part of a text says as JSON, mended if it must be; None if it says nothing that a parser can hold."""
    try:
        return parse_json(span)
    except ValueError:
        pass
    try:
        return parse_json(json.dumps(json_repair.loads(span), allow_nan=False))
    except (ValueError, RecursionError):
        return None


def _in_spelling_of(schema: Any, value: Any) -> Any:
    """The value with keys and enumerated texts as the schema spells them, where they differ in case and spacing alone."""
    if not isinstance(schema, dict):
        return value
    properties, names = schema.get("properties"), schema.get("enum")
    if isinstance(value, str) and isinstance(names, list):
        return _spelling(value, [name for name in names if isinstance(name, str)])
    if isinstance(value, list):
        return [_in_spelling_of(schema.get("items"), item) for item in value]
    if isinstance(value, dict) and isinstance(properties, dict):
        free = [name for name in properties if name not in value]
        renamed = {key: key if key in properties else _spelling(key, free) for key in value}
        if len(set(renamed.values())) == len(value):
            return {renamed[key]: _in_spelling_of(properties.get(renamed[key]), item) for key, item in value.items()}
    return value


def _spelling(text: str, names: Sequence[str]) -> str:
    """The one name that is the text but for case and spacing; the text itself if there is none, or more than one."""
    same = [name for name in names if plain_label(name) == plain_label(text)]
    return text if text in names or len(same) != 1 else same[0]


def _label_finder(labels: Sequence[str]) -> Repair:
    """Finds the only label that a text names; a longer label is not taken for a shorter one inside it.

    Case does not count, unless labels differ in nothing else, or a label is one letter: "a" is a word as well.
    """
    exact = len({plain_label(label) for label in labels}) < len(labels) or any(len(label) == 1 for label in labels)
    by_length = sorted((label for label in labels if label.strip()), key=len, reverse=True)
    if not by_length:
        return lambda text: None
    named = "|".join(f"({SPACING.join(map(re.escape, re.split(SPACING, label)))})" for label in by_length)
    pattern = re.compile(rf"(?<!\w)(?:{named})(?!\w)", 0 if exact else re.IGNORECASE)

    def find(text: str) -> str | None:
        found = {by_length[match.lastindex - 1] for match in pattern.finditer(text) if match.lastindex}
        return found.pop() if len(found) == 1 else None

    return find
