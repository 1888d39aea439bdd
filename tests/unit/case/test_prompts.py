"""Prompts of the case: texts and files, with a place for the input, each an arm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.arms import ArmContext, requested_arms
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.scoring.graders import make_grader

HEAD = "name: x\ndecision: {private_facts: false, format_drift: true, stable_task: true}\n"
ROW = Example("", "the {input} of a row", "out", Source("rows.jsonl", 1))


def case_with(tmp_path: Path, prompts: str) -> Case:
    (tmp_path / "case.yaml").write_text(HEAD + prompts)
    return load_case(tmp_path / "case.yaml")


def messages(case: Case, arm: str, row: Example = ROW) -> list[Message]:
    grader = make_grader(Task(output=OutputFormat(kind=OutputKind.TEXT)), [])
    return requested_arms(case)[arm](ArmContext("", grader, (), lambda _: True, 0)).messages(row)


def test_texts_files_and_templates_become_arms_that_ask_exactly_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "careful.md").write_text("Read it twice.\n\nTicket: {input}\nAnswer:\n")
    case = case_with(tmp_path, "prompts:\n  careful: {system: You sort tickets., user: careful.md}\n  plain: Sort it.\n")
    assert list(requested_arms(case)) == ["zero_shot", "prompt_careful", "prompt_plain", "few_shot"]
    assert messages(case, "prompt_careful") == [
        Message("system", "You sort tickets."),
        Message("user", "Read it twice.\n\nTicket: the {input} of a row\nAnswer:"),
    ]
    assert messages(case, "prompt_plain") == [Message("user", "Sort it.\n\nthe {input} of a row")]


def test_a_list_is_named_by_its_files_or_by_numbers(tmp_path: Path) -> None:
    (tmp_path / "long-one.txt").write_text("Sort this: {input}")
    case = case_with(tmp_path, "prompts: [long-one.txt, 'Sort it.']\n")
    assert [name for name in requested_arms(case) if name.startswith("prompt_")] == ["prompt_long_one", "prompt_2"]


def test_earlier_turns_and_the_system_text_of_a_row_are_kept(tmp_path: Path) -> None:
    case = case_with(tmp_path, "prompts: {a: Go on.}\n")
    row = Example("", "and now?", "out", Source("r", 1), system="Be brief.", history=(Message("user", "hi"), Message("assistant", "hello")))
    assert [turn.role for turn in messages(case, "prompt_a", row)] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("prompts", "reason"),
    [
        ("{a: missing.txt}", "cannot be read"),
        ("{a: empty.txt}", "is empty"),
        ("{Big Name: x}", "no name of a prompt"),
        ("{a: {usr: x}}", "usr"),
    ],
)
def test_a_prompt_that_cannot_be_asked_is_a_mistake_of_the_case(tmp_path: Path, prompts: str, reason: str) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(CaseError, match=reason):
        case_with(tmp_path, f"prompts: {prompts}\n")


def test_a_case_without_prompts_stores_nothing_about_them(tmp_path: Path) -> None:
    stored: dict[str, Any] = case_with(tmp_path, "").model_dump()
    assert "prompts" not in stored
