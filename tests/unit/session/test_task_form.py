"""The task form: what it suggests, what survives a change of another field, and when the eval set can be frozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.engine.audit.report import Report
from tuneproof.engine.case.compare import Compare, RuleName
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.output_bounds import BoundsChoice, FieldBound
from tuneproof.engine.case.schema import DraftCase, ModelChoice
from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import Failed
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.form_input import InputError, parse_bounds
from tuneproof.engine.session.freeze_status import FreezeStatus, freeze_status
from tuneproof.engine.session.script_form import FIRST_SCRIPT, script_entered, script_text
from tuneproof.engine.session.task_form import (
    TYPED_FIELDS,
    TaskField,
    bounds_text,
    describe_chosen_bounds,
    fields_of,
    suggested_sections,
    with_bounds,
    with_kind,
    with_metric,
    with_output,
)

CHOICE = OutputFormat(kind=OutputKind.CHOICE, choices=["yes", "no"])
TEXT = OutputFormat(kind=OutputKind.TEXT)


def draft(**sections: object) -> DraftCase:
    return DraftCase.model_validate({"name": "a", **sections})


def changed(content: DraftCase, field: TaskField, text: str) -> DraftCase:
    """The draft after a text was typed into a field."""
    return content.model_copy(update=TYPED_FIELDS[field].sections(content, text))


def test_a_draft_without_a_model_gets_the_sample_model() -> None:
    assert suggested_sections(draft(), None) == {"model": ModelChoice(base="sample")}


def test_nothing_is_suggested_for_what_was_chosen() -> None:
    assert suggested_sections(draft(task=Task(), model=ModelChoice()), None) == {}


@pytest.mark.parametrize("kind", OutputKind)
def test_each_output_kind_has_only_its_own_fields(kind: OutputKind) -> None:
    own = {
        OutputKind.JSON: TaskField.SCHEMA,
        OutputKind.CHOICE: TaskField.CHOICES,
        OutputKind.LABELS: TaskField.CHOICES,
        OutputKind.PATTERN: TaskField.PATTERN,
    }
    fields = fields_of(OutputFormat(kind=kind, pattern="(.)" if kind is OutputKind.PATTERN else None))
    assert [field for field in fields if field in own.values()] == ([own[kind]] if kind in own else [])


def test_the_drafted_output_is_used_if_it_has_the_chosen_kind() -> None:
    assert with_kind(draft(), OutputKind.CHOICE, CHOICE)["task"].output == CHOICE
    assert with_kind(draft(), OutputKind.TEXT, CHOICE)["task"].output == TEXT


def test_a_pattern_kind_starts_with_a_pattern_that_matches_any_text() -> None:
    assert with_kind(draft(), OutputKind.PATTERN, None)["task"].output.pattern == "(.+)"


def test_a_metric_that_the_new_kind_does_not_have_is_dropped() -> None:
    content = draft(task=Task(instruction="Answer.", output=CHOICE, metric=Metric.MACRO_F1))
    assert with_output(content, TEXT)["task"] == Task(instruction="Answer.", output=TEXT)


def test_a_metric_that_the_new_kind_has_is_kept() -> None:
    content = draft(task=Task(output=CHOICE, metric=Metric.MACRO_F1))
    labels = OutputFormat(kind=OutputKind.CHOICE, choices=["a", "b"])
    assert with_output(content, labels)["task"].metric is Metric.MACRO_F1


def test_a_target_keeps_its_score_but_not_a_metric_that_the_new_kind_does_not_have() -> None:
    content = draft(task=Task(output=CHOICE), target=Target(metric=Metric.CHOICE_ACCURACY, at_least=0.9))
    assert with_output(content, TEXT)["target"] == Target(at_least=0.9)


def test_rules_of_single_fields_do_not_stop_a_change_to_a_kind_without_fields() -> None:
    content = draft(
        task=Task(output=OutputFormat(kind=OutputKind.JSON), compare=Compare(default=RuleName.NUMBER, fields={"a": RuleName.SET}))
    )
    changed_task = with_output(content, TEXT)["task"]
    assert Task.model_validate(changed_task.model_dump(by_alias=True)).compare == Compare(default=RuleName.NUMBER)


def test_another_metric_keeps_the_rest_of_the_task() -> None:
    content = draft(task=Task(instruction="Answer.", output=CHOICE))
    assert with_metric(content, Metric.MACRO_F1)["task"] == Task(instruction="Answer.", output=CHOICE, metric=Metric.MACRO_F1)


def test_a_target_is_in_the_metric_of_the_task() -> None:
    content = draft(task=Task(output=CHOICE))
    assert TYPED_FIELDS[TaskField.TARGET].sections(content, "90 %") == {"target": {"metric": "choice_accuracy", "at_least": 0.9}}
    assert TYPED_FIELDS[TaskField.TARGET].sections(content, "") == {"target": None}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (TaskField.INSTRUCTION, "Answer in one word."),
        (TaskField.CHOICES, "yes\nno"),
        (TaskField.SCHEMA, '{\n  "type": "object"\n}'),
    ],
)
def test_a_field_shows_what_was_typed(field: TaskField, text: str) -> None:
    content = changed(draft(), field, text)
    assert TYPED_FIELDS[field].text(content) == text


def test_shares_and_grouping_change_the_split_only() -> None:
    content = draft(data=Data(examples="rows.jsonl", leave_out=["conflict"]))
    shares = TYPED_FIELDS[TaskField.SHARES].sections(content, "0.5 0.2 0.3")["data"]
    group = TYPED_FIELDS[TaskField.KEEP_TOGETHER].sections(content, " customer ")["data"]
    assert (shares["split"]["train"], shares["leave_out"]) == (0.5, ["conflict"])
    assert (group["split"]["group_by"], group["split"]["train"]) == ("customer", 0.6)


@pytest.mark.parametrize("field", [TaskField.PATTERN, TaskField.BASE])
def test_an_empty_text_changes_nothing_where_a_value_is_needed(field: TaskField) -> None:
    assert TYPED_FIELDS[field].sections(draft(), "") == {}


def test_text_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InputError):
        TYPED_FIELDS[TaskField.TARGET].sections(draft(), "ninety")


def status(
    run: RunState, dry_run: RunState, report: Report | None = None, *, is_frozen: bool = False, is_current: bool = True
) -> FreezeStatus:
    return freeze_status(run, dry_run, report, is_frozen=is_frozen, dry_run_is_current=is_current)


def failed(code: ExitCode) -> RunState:
    return RunState(status=RunStatus.FAILED, failure=Failed(exit_code=code, message="no"))


def test_a_draft_can_be_frozen_once_its_dry_run_has_split_the_data() -> None:
    split = RunState(done={Stage.SPLIT})
    assert status(RunState(), split) is FreezeStatus.READY
    assert status(RunState(), split, is_current=False) is FreezeStatus.READING
    assert status(RunState(), RunState()) is FreezeStatus.READING


def test_a_failed_dry_run_prevents_the_freeze() -> None:
    assert status(RunState(), failed(ExitCode.REFUSED)) is FreezeStatus.DRY_RUN_FAILED


def test_a_run_is_frozen_once_its_data_is_split() -> None:
    assert status(RunState(done={Stage.SPLIT}), RunState(), is_frozen=True) is FreezeStatus.FROZEN
    assert status(RunState(status=RunStatus.RUNNING), RunState(), is_frozen=True) is FreezeStatus.FREEZING


def test_a_freeze_that_crashed_can_be_resumed_and_a_refused_one_cannot() -> None:
    assert status(RunState(status=RunStatus.CRASHED), RunState(), is_frozen=True) is FreezeStatus.BROKE_OFF
    assert status(failed(ExitCode.FAILED), RunState(), is_frozen=True) is FreezeStatus.BROKE_OFF
    assert status(failed(ExitCode.REFUSED), RunState(), is_frozen=True) is FreezeStatus.REFUSED


def test_the_task_step_says_which_bounds_a_constrained_answer_has_and_takes_other_ones() -> None:
    json_task = draft(task=Task(output=OutputFormat(kind=OutputKind.JSON)))
    found = {"status": FieldBound(values=list("abcde")), "note": FieldBound(max_length=40)}
    assert describe_chosen_bounds(BoundsChoice.AUTO, found) == "from train: status one of 5 values; note at most 40 characters"
    mine = parse_bounds(bounds_text(found).replace("40", "80"))
    changed_task = DraftCase.model_validate(json_task.model_dump(by_alias=True) | with_bounds(json_task, mine)).task
    assert changed_task is not None and isinstance(changed_task.output.bounds, dict)
    assert changed_task.output.bounds["note"].max_length == 80 and changed_task.output.bounds["status"] == found["status"]
    off = with_bounds(json_task, BoundsChoice.NONE)["task"]["output"]["bounds"]
    assert describe_chosen_bounds(off, found) == "none: a constrained answer may be of any length"
    assert TaskField.BOUNDS not in fields_of(TEXT) and TaskField.BOUNDS not in fields_of(CHOICE)


@pytest.mark.parametrize(("text", "expected"), [("[]", "write the bounds as"), ("{", "line 1"), ('{"a": 3}', "write the bounds as")])
def test_bounds_that_cannot_be_read_are_refused_with_what_is_expected(text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        parse_bounds(text)


def test_a_script_is_entered_as_its_text_or_its_file_and_stays_with_another_kind(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text(FIRST_SCRIPT)
    entered = script_entered("score.py", tmp_path, Task())
    assert entered == script_entered(FIRST_SCRIPT, tmp_path, Task()) and script_text(Task()) == FIRST_SCRIPT
    for wrong in ("", "gone.py", "def score(output, row:", "x = 1\ny = 2"):
        with pytest.raises(InputError):
            script_entered(wrong, tmp_path, Task())
    content = draft(task=Task(metric=entered), target=Target(metric=Metric.SCRIPT, at_least=0.9))
    assert with_kind(content, OutputKind.JSON, None)["task"].metric == entered
