"""Rows that belong together are found before a split by rows would put them into several parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.audit.checks.leak_rows import row
from tuneproof.engine.audit.checks.split_groups import split_groups
from tuneproof.engine.audit.registry import Finding
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Message


def found_in(rows: list[Example], group_by: str | None = None) -> Finding | None:
    return next(split_groups(Table(Rows(rows), Rows(), [], group_by=group_by)), None)


def with_field(name: str, value: Callable[[int], Any], count: int = 120) -> list[Example]:
    return [row(i, metadata={name: value(i)}) for i in range(count)]


def conversation(number: int, turns: int) -> list[Example]:
    said = [(f"what about request {turn} of customer {number}", f"reply {turn} to {number}") for turn in range(turns)]
    history: tuple[Message, ...] = ()
    rows = []
    for turn, (asked, reply) in enumerate(said):
        rows.append(row(number * 10 + turn, asked, reply, history=history))
        history = (*history, Message("user", asked), Message("assistant", reply))
    return rows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conversation_id", lambda i: f"conv-{i // 3}"),
        ("conversation_id", lambda i: i // 3),
        ("subject_id", lambda i: 10_000 + i // 4),
        ("userId", lambda i: f"u{i % 30}"),
        ("source_url", lambda i: f"https://example.com/{i // 5}"),
        ("thread", lambda i: f"t{i // 2}"),
        ("session_id", lambda i: ["a", "b", "c"][i % 3]),
    ],
)
def test_groups_are_found_by_a_field_and_offered_by_its_name(name: str, value: Callable[[int], Any]) -> None:
    finding = found_in(with_field(name, value))
    assert finding is not None and finding.group_by == name and f"data.split.group_by={name}" in finding.action
    assert "joins 120 of 120 rows" in finding.message


def test_groups_are_found_in_a_field_of_an_object() -> None:
    finding = found_in([row(i, metadata={"meta": {"conversation_id": f"c{i // 3}"}}) for i in range(60)])
    assert finding is not None and finding.group_by == "meta.conversation_id"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conversation_id", lambda i: f"conv-{i}"),
        ("source", lambda i: ["web", "book"][i % 2]),
        ("user_language", lambda i: f"v{i // 3}"),
        ("subject", lambda i: f"hello {i // 3}"),
        ("user", lambda i: None),
        ("page", lambda i: i // 3),
    ],
)
def test_fields_whose_rows_do_not_belong_together_are_no_groups(name: str, value: Callable[[int], Any]) -> None:
    assert found_in(with_field(name, value)) is None


def test_ids_that_begin_again_in_each_file_join_no_rows() -> None:
    rows = [row(i, file=file, metadata={"dialogue_id": i}) for file in ("a.jsonl", "b.jsonl", "c.jsonl") for i in range(40)]
    assert found_in(rows) is None
    several = [row(i, file=file, metadata={"dialogue_id": i // 2}) for file in ("a.jsonl", "b.jsonl") for i in range(40)]
    finding = found_in(several)
    assert finding is not None and "80 of 80 rows in 40 groups" in finding.message


def test_conversations_without_an_id_are_found_by_their_first_turns_past_a_greeting() -> None:
    finding = found_in([each for number in range(20) for each in conversation(number, 3)])
    assert finding is not None and finding.group_by == "first_turns" and "60 of 60 rows in 20 groups" in finding.message
    hello = (Message("user", "hello"), Message("assistant", "hello, how can I help?"))
    assert found_in([row(i, f"a question of its own, number {i}", history=hello) for i in range(60)]) is None


def test_many_small_files_are_groups_if_nothing_else_is() -> None:
    finding = found_in([row(i, file=f"call-{i // 4}.jsonl") for i in range(80)])
    assert finding is not None and finding.group_by == "file"


def test_of_several_fields_the_one_with_the_larger_groups_is_offered_if_there_are_enough() -> None:
    rows = [row(i, metadata={"conversation_id": f"c{i // 3}", "customer_id": f"k{i // 9}"}) for i in range(360)]
    finding = found_in(rows)
    assert finding is not None and finding.group_by == "customer_id" and "so do `conversation_id` (120 groups)" in finding.message
    few = found_in(rows[:45])
    assert few is not None and few.group_by == "customer_id"


def test_nothing_is_found_once_the_case_groups_the_split() -> None:
    assert found_in(with_field("conversation_id", lambda i: f"conv-{i // 3}"), group_by="conversation_id") is None
