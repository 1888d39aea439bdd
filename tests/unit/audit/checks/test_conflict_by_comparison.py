"""Two outputs contradict each other only if the task scores one as wrong where the other is expected."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.audit.checks.conflict import conflicting_outputs
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.graders import make_grader

GSM = {"output": {"kind": "pattern", "pattern": "#### (.+)"}}
JSON = {"output": {"kind": "json"}}
TEXT = {"output": {"kind": "text"}}


def found(task: dict[str, Any], outputs: tuple[str, ...]) -> list[int]:
    rows = Rows([Example("Do.", "the same input", output, Source("rows.jsonl", at)) for at, output in enumerate(outputs, 1)])
    table = Table(rows, Rows(), [], make_grader(Task.model_validate(task), []))
    return [row.at.line for finding in conflicting_outputs(table) for row in finding.rows]


@pytest.mark.parametrize(
    ("task", "outputs"),
    [
        (GSM, ("He pays 2007.\n#### 2007", "So\n#### $2,007.00")),
        (JSON, ('{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}')),
        ({**JSON, "compare": {"fields": {"tags": "set", "note": "ignore"}}}, ('{"tags": [1, 2], "note": "x"}', '{"tags": [2, 1]}')),
        ({**TEXT, "compare": "date"}, ("5 January 2026", "2026-01-05")),
    ],
)
def test_outputs_that_are_equal_for_the_task_do_not_contradict_each_other(task: dict[str, Any], outputs: tuple[str, ...]) -> None:
    assert found(task, outputs) == []


@pytest.mark.parametrize(
    ("task", "outputs"),
    [
        (GSM, ("#### 2007", "#### 2008")),
        (JSON, ('{"tags": [1, 2]}', '{"tags": [2, 1]}')),
        (TEXT, ("5 January 2026", "2026-01-05")),
        ({**TEXT, "metric": "contains"}, ("Oslo", "Oslo or Bergen")),
        (GSM, ("#### 2007", "no mark")),
        (JSON, ("{", "[")),
    ],
)
def test_other_outputs_do(task: dict[str, Any], outputs: tuple[str, ...]) -> None:
    assert found(task, outputs) == [1, 2]


def test_only_rows_that_differ_name_each_other() -> None:
    assert found(GSM, ("#### 2007", "#### 2,007", "#### 5")) == [1, 2, 3]
