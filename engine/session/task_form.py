"""The form of the task step: its fields, and what a change of one field does to the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tuneproof.engine.case.compare import Compare, RuleName
from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.instruction import InstructionFault, instruction_gap
from tuneproof.engine.case.metric import PASS_SCORE
from tuneproof.engine.case.output_bounds import Bounds, BoundsChoice, describe_bounds
from tuneproof.engine.case.schema import SAMPLE, DraftCase, ModelChoice
from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.case.task import METRICS, WITH_FIELDS, WITH_PASS_SCORE, Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.models.custom_code import code_question
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.run.artifacts import DataFacts
from tuneproof.engine.session.base_check import check_base
from tuneproof.engine.session.form_input import base_model, parse_choices, parse_percent, parse_schema, parse_shares

Sections = dict[str, Any]
"""Sections of a draft by their names, as `Draft.choose` takes them; it checks what is given as a dict."""

ANY_TEXT = r"(.+)"


class TaskField(StrEnum):
    """A field of the form, in the order in which the form shows them; the value is its label."""

    INSTRUCTION = "instruction"
    OUTPUT_KIND = "output kind"
    SCHEMA = "schema"
    CHOICES = "choices"
    PATTERN = "pattern"
    BOUNDS = "bounds"
    METRIC = "metric"
    COMPARED = "compared"
    TARGET = "target"
    BASE = "base model"
    SHARES = "shares"
    KEEP_TOGETHER = "keep together"


ONLY_FOR = {
    TaskField.SCHEMA: (OutputKind.JSON,),
    TaskField.CHOICES: (OutputKind.CHOICE, OutputKind.LABELS),
    TaskField.PATTERN: (OutputKind.PATTERN,),
    TaskField.BOUNDS: (OutputKind.JSON, OutputKind.PATTERN),
}
"""Fields that only some output kinds have."""


def fields_of(output: OutputFormat) -> list[TaskField]:
    """The fields that a task with this output has."""
    return [field for field in TaskField if output.kind in ONLY_FOR.get(field, OutputKind)]


def suggested_sections(content: DraftCase, found: DataFacts | None) -> Sections:
    """Sections that the draft does not have yet: the task that the examples suggest, and the sample model as the base."""
    sections: Sections = {}
    if content.task is None and found is not None:
        sections["task"] = Task(output=found.drafted_output)
    if content.model is None:
        sections["model"] = ModelChoice(base=SAMPLE)
    return sections


def task_of(content: DraftCase) -> Task:
    """The task of a draft, the default task if it has none yet."""
    return content.task or Task()


def with_kind(content: DraftCase, kind: OutputKind, drafted: OutputFormat | None) -> Sections:
    """The sections with another output kind; the output drafted from the examples is used if it has this kind."""
    if drafted is not None and drafted.kind is kind:
        return with_output(content, drafted)
    return with_output(content, OutputFormat(kind=kind, pattern=ANY_TEXT if kind is OutputKind.PATTERN else None))


def with_output(content: DraftCase, output: OutputFormat) -> Sections:
    """The sections with another output.

    The metric, and the metric of the target, are dropped if the new output kind does not have them: such a target could never be met.
    """
    task = task_of(content)
    metric = task.metric if isinstance(task.metric, ScriptMetric) or task.metric in METRICS[output.kind] else None
    return _with_task(content, output, metric)


def with_metric(content: DraftCase, metric: Metric | ScriptMetric) -> Sections:
    """The sections with another metric; that of the target is dropped if it is no longer measured."""
    return _with_task(content, task_of(content).output, metric)


def _with_task(content: DraftCase, output: OutputFormat, metric: Metric | ScriptMetric | None) -> Sections:
    """The sections with another output or metric, without what belongs to neither."""
    task, target = task_of(content), content.target
    changed = task.model_copy(update={"output": output, "metric": metric})
    if changed.primary_metric not in WITH_PASS_SCORE:
        changed = changed.model_copy(update={"pass_score": PASS_SCORE})
    if output.kind is not OutputKind.TEXT:
        changed = changed.model_copy(update={"rules": []})
    if output.kind not in WITH_FIELDS:
        default = RuleName.AUTO if task.compare.default is RuleName.IGNORE else task.compare.default
        changed = changed.model_copy(update={"compare": Compare(default=default)})
    sections: Sections = {"task": changed}
    if target is not None and target.metric is not None and target.metric not in changed.metrics:
        sections["target"] = target.model_copy(update={"metric": None})
    return sections


OWN_BOUNDS = "own"
"""The choice of bounds that a person lists."""

BOUNDS_CHOICES = {
    BoundsChoice.AUTO.value: "proposed from train: lengths, values, forms",
    BoundsChoice.NONE.value: "only what the schema or the pattern says; an open string may be cut off",
    OWN_BOUNDS: "your own, as JSON; starts with the proposed ones",
}
"""The choices of `bounds`, and what each means."""


def with_bounds(content: DraftCase, bounds: BoundsChoice | Mapping[str, Any]) -> Sections:
    """The sections with other bounds for constrained decoding; how an answer is graded does not change."""
    task = task_of(content).model_dump(by_alias=True)
    # A dict, so that the draft checks the bounds.
    return {"task": task | {"output": task["output"] | {"bounds": bounds if isinstance(bounds, BoundsChoice) else dict(bounds)}}}


def bounds_text(bounds: Bounds) -> str:
    """Bounds as a person edits them: JSON, without what each leaves open."""
    return json.dumps({path: bound.model_dump(exclude_none=True) for path, bound in bounds.items()}, indent=2, ensure_ascii=False)


def describe_chosen_bounds(chosen: BoundsChoice | Bounds, found: Bounds | None) -> str:
    """The bounds of constrained decoding in a line; `found` are those that the answers of train get, None if they are not read yet."""
    if chosen is BoundsChoice.NONE:
        return "none: a constrained answer may be of any length"
    if found is None:
        return f"yours: {describe_bounds(chosen)}" if isinstance(chosen, dict) else "from train, once the rows are split"
    origin = "from train" if chosen is BoundsChoice.AUTO else "yours"
    return f"{origin}: {describe_bounds(found)}" if found else f"{origin}: nothing is open that could be bounded"


@dataclass(frozen=True)
class TypedField:
    """A field whose value a person types."""

    title: str
    why: str
    text: Callable[[DraftCase], str]
    """The value as it is typed."""
    sections: Callable[[DraftCase, str], Sections]
    """The sections with a typed text as the value, empty if that changes nothing. Raises InputError if the text cannot be read."""
    placeholder: str = ""
    has_lines: bool = False
    """Whether the value may have several lines."""
    suffix: str = ".txt"
    """The ending of a file with such a text, by which an editor knows what it is."""
    reads: Callable[[DraftCase], str] = lambda content: ""
    """How the typed text was read, from the draft that has it."""
    look: Callable[[str], str] | None = None
    """What takes a while to find out about a typed text. Raises InputError."""


def _instruction_text(content: DraftCase) -> str:
    return task_of(content).instruction or ""


def instruction_warning(content: DraftCase, found: DataFacts | None) -> str | None:
    """What is wrong with the instruction; None if nothing is, or as long as the rows are not read."""
    gap = instruction_gap(task_of(content), found.rows_without_instruction or 0) if found else None
    return gap.message if gap else None


def doubt_about_freezing(content: DraftCase, found: DataFacts | None) -> str | None:
    """Why a person should think again before the eval set is frozen; None if nothing speaks against it."""
    gap = instruction_gap(task_of(content), found.rows_without_instruction or 0) if found else None
    if gap is None:
        return None
    what = "No instruction says what to do" if gap.fault is InstructionFault.MISSING else "The instruction is too short to say what to do"
    rows = found.rows_without_instruction if found else 0
    return (
        f"{what}, and {rows:,} rows have none of their own. Every prompt then leaves the model to guess, tuning is compared with a "
        "baseline that was never told the task, and its gain is overstated. Once the eval set is frozen, the instruction cannot change "
        "in this run. If you freeze it all the same, the card says so under Risk."
    )


def _with_instruction(content: DraftCase, text: str) -> Sections:
    return {"task": task_of(content).model_copy(update={"instruction": text.strip() or None})}


def _schema_text(content: DraftCase) -> str:
    schema = task_of(content).output.json_schema
    return json.dumps(schema, indent=2, ensure_ascii=False) if schema else ""


def _with_schema(content: DraftCase, text: str) -> Sections:
    return with_output(content, OutputFormat(kind=OutputKind.JSON, json_schema=parse_schema(text), bounds=task_of(content).output.bounds))


def _choices_text(content: DraftCase) -> str:
    return "\n".join(task_of(content).output.choices or [])


def _with_choices(content: DraftCase, text: str) -> Sections:
    output = task_of(content).output
    kind = OutputKind.LABELS if output.kind is OutputKind.LABELS else OutputKind.CHOICE
    return with_output(content, OutputFormat(kind=kind, choices=parse_choices(text), list_style=output.list_style))


def _pattern_text(content: DraftCase) -> str:
    return task_of(content).output.pattern or ""


def _with_pattern(content: DraftCase, text: str) -> Sections:
    pattern = text.strip("\n")
    if not pattern:
        return {}
    task = task_of(content)
    # A dict, so that the draft checks the pattern and refuses one that is not a regular expression.
    return {"task": task.model_dump(by_alias=True) | {"output": task.output.model_dump(by_alias=True) | {"pattern": pattern}}}


def describe_target(target: Target | None) -> str:
    """What is asked for, in a few words."""
    if target is None:
        return "none: any gain of 2 points that is shown counts"
    parts = [] if target.at_least is None else [f"at least {100 * target.at_least:g} %"]
    if target.not_worse_than is None:
        parts.append(f"a gain of {100 * target.min_gain:g} points")
    else:
        parts.append(f"not worse than {target.not_worse_than} by {100 * target.margin:g} points")
    return ", ".join(parts)


def _target_text(content: DraftCase) -> str:
    return f"{100 * content.target.at_least:g}" if content.target and content.target.at_least is not None else ""


def _with_target(content: DraftCase, text: str) -> Sections:
    share = parse_percent(text)
    kept = content.target.model_dump(by_alias=True) if content.target else {}
    if share is None:
        return {"target": None}
    return {"target": kept | {"metric": task_of(content).primary_metric.value, "at_least": share}}


def _base_text(content: DraftCase) -> str:
    return content.model.base if content.model else SAMPLE


def _with_base(content: DraftCase, text: str) -> Sections:
    return {"model": {"base": base_model(text)}} if text.strip() else {}


def question_about_code(sections: Sections) -> str | None:
    """What to ask before a base is chosen that brings code of its own; None if it brings none, or if no base is chosen here."""
    base = sections.get("model", {}).get("base", SAMPLE)
    folder = None if base == SAMPLE else config_folder(base)
    return code_question(folder) if folder else None


CODE_CHOICES = [("no", "do not run it"), ("yes", "run it; the card says so")]
"""The answers to the question about the code of a base."""


def with_answer_about_code(sections: Sections, answer: str | None) -> Sections:
    """The sections with the answer to the question about the code of their base; anything but yes is a no."""
    return sections | {"model": sections["model"] | {"trust_remote_code": answer == CODE_CHOICES[1][0]}}


def split_of(content: DraftCase) -> SplitShares:
    """The split of a draft, the default split if it has no data yet."""
    return content.data.split if content.data else SplitShares()


def describe_split(split: SplitShares) -> str:
    """The three shares in percent."""
    return f"train {100 * split.train:g} %, validation {100 * split.validation:g} %, eval {100 * split.eval:g} %"


def with_split(content: DraftCase, **changes: object) -> Sections:
    """The sections with another split; none as long as there is no data to split."""
    if content.data is None:
        return {}
    return {"data": content.data.model_dump() | {"split": content.data.split.model_dump() | changes}}


def _shares_text(content: DraftCase) -> str:
    split = split_of(content)
    return f"{split.train:g} {split.validation:g} {split.eval:g}"


def _with_shares(content: DraftCase, text: str) -> Sections:
    train, validation, scored = parse_shares(text)
    return with_split(content, train=train, validation=validation, eval=scored)


def _group_text(content: DraftCase) -> str:
    return split_of(content).group_by or ""


def _with_group(content: DraftCase, text: str) -> Sections:
    return with_split(content, group_by=text.strip() or None)


BASE_HELP = f"A folder with a model, a name on the Hugging Face hub, or `{SAMPLE}` for the small model that ships with tuneproof."

TYPED_FIELDS = {
    TaskField.INSTRUCTION: TypedField(
        "Instruction",
        "The text that the model gets before each input. Rows with their own instruction keep it.",
        _instruction_text,
        _with_instruction,
        has_lines=True,
    ),
    TaskField.SCHEMA: TypedField(
        "Schema",
        "The JSON Schema that every answer has to satisfy. Empty: any JSON is valid.",
        _schema_text,
        _with_schema,
        has_lines=True,
        suffix=".json",
    ),
    TaskField.CHOICES: TypedField(
        "Choices", "One label a line. Empty: the labels in the training rows.", _choices_text, _with_choices, has_lines=True
    ),
    TaskField.PATTERN: TypedField(
        "Pattern", "A regular expression; its first group is the answer.", _pattern_text, _with_pattern, has_lines=True
    ),
    TaskField.TARGET: TypedField(
        "Target",
        "The score that would be good enough, in percent. Empty: no target.",
        _target_text,
        _with_target,
        placeholder="90",
        reads=lambda content: describe_target(content.target),
    ),
    TaskField.BASE: TypedField("Base model", BASE_HELP, _base_text, _with_base, look=check_base),
    TaskField.SHARES: TypedField(
        "Shares",
        "Three numbers that add up to 1: train, validation, eval. With a separate eval file the third is not used.",
        _shares_text,
        _with_shares,
        reads=lambda content: describe_split(split_of(content)),
    ),
    TaskField.KEEP_TOGETHER: TypedField(
        "Keep together",
        "A column, such as the customer or the conversation. Rows with the same value stay in the same part. "
        "Empty: only rows with the same request stay together.",
        _group_text,
        _with_group,
    ),
}
"""The fields that are typed; the others are chosen from a list."""
