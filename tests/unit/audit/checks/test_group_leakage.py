"""Training rows of a group that eval has too are found, by metadata fields and by how conversations open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.checks.leak_rows import row, rows_of, table
from tuneproof.engine.audit.checks.group_leakage import group_leakage
from tuneproof.engine.data.example import Example, Message


def with_field(name: str, values: list[Any], file: str = "rows.jsonl") -> list[Example]:
    return [row(i, file=file, metadata={name: value}) for i, value in enumerate(values, start=1)]


@pytest.mark.parametrize(
    "name", ["conversation_id", "convId", "dialogue", "userId", "doc_id", "source_url", "documentID", "thread", "db_id"]
)
@given(st.sets(st.integers(1, 60), max_size=20))
def test_training_rows_of_a_group_that_eval_has_are_found(name: str, shared: set[int]) -> None:
    train_rows = with_field(name, [f"group-{i}" for i in range(1, 61)])
    eval_rows = with_field(name, [*(f"group-{i}" for i in sorted(shared)), "group-x", "group-y"], "eval.jsonl")
    found = list(group_leakage(table(train_rows, eval_rows)))
    assert [r.at.line for r in rows_of(found)] == sorted(shared)
    assert all(r.note == f"{name} group-{r.at.line}" and r.of is not None and r.of.file == "eval.jsonl" for r in rows_of(found))
    if shared:
        assert found[0].message.startswith(
            f"{len(shared)} of {len(eval_rows)} eval rows share their {name} with {len(shared)} training row"
        )


@pytest.mark.parametrize(
    ("name", "train_rows", "eval_rows"),
    [
        ("source", ["web", "book"] * 50, ["web", "book"]),
        ("source", [f"site{i % 12}" for i in range(900)], ["site1"]),
        ("id", [f"r{i}" for i in range(50)], ["r1"]),
        ("user_name_length", [f"v{i}" for i in range(50)], ["v1"]),
        ("user_language", [f"v{i}" for i in range(50)], ["v1"]),
        ("page", list(range(50)), [7, 12]),
        ("dialogue_id", list(range(50)), list(range(20))),
        ("user", [None, "", "unknown"] * 20, [None, "", "unknown"]),
    ],
)
def test_fields_that_do_not_identify_groups_are_no_leak(name: str, train_rows: list[Any], eval_rows: list[Any]) -> None:
    assert list(group_leakage(table(with_field(name, train_rows), with_field(name, eval_rows, "eval.jsonl")))) == []


def test_conversations_that_open_alike_are_one_conversation() -> None:
    def talk(number: int, opening: str, file: str = "rows.jsonl") -> Example:
        return row(number, file=file, history=(Message("user", opening), Message("assistant", f"reply to {opening}")))

    questions = [f"how do I repair the bicycle number {i}" for i in range(60)]
    train_rows = [talk(i, q) for i, q in enumerate(questions, start=1)]
    first_turn = row(2, questions[9], f"reply to {questions[9]}", "eval.jsonl")
    eval_rows = [
        talk(1, questions[3], "eval.jsonl"),
        first_turn,
        talk(3, "hello", "eval.jsonl"),
        talk(4, "a question of its own", "eval.jsonl"),
    ]
    found = rows_of(list(group_leakage(table([*train_rows, talk(90, "hello")], eval_rows))))
    assert [(r.at.line, r.of.line if r.of else 0) for r in found] == [(4, 1), (10, 2)]
    shown = "always the same example of a question"
    assert list(group_leakage(table([talk(i, shown) for i in range(1, 90)], [talk(1, shown, "eval.jsonl")]))) == []
