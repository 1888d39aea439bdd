"""What the audit says of rows in which a key of their format decides what is learned."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.readers import LoadedExamples, read_examples

ASKED = [
    "The lamp from Oslo is broken.",
    "My tent came twice, on day 77.",
    "Where is the camera I paid for?",
    "A router without its plug, in Perth.",
]
LABELS = ["returns", "shipping", "billing", "returns"]


@pytest.fixture
def audited(write_jsonl: Any) -> Any:
    def of(rows: list[dict[str, Any]]) -> tuple[LoadedExamples, Report]:
        loaded = read_examples(str(write_jsonl(rows)))
        return loaded, audit(Table(Rows(loaded.examples), Rows(), loaded.problems, notes=loaded.notes), (), loaded.shapes)

    return of


def checks(report: Report) -> dict[str, int]:
    return {finding.check: finding.count for finding in report.findings}


def chat(asked: str, *turns: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, *turns]}


def test_equal_follow_up_questions_after_other_turns_are_no_conflict(audited: Any) -> None:
    rows = [
        {"instruction": "And the year after?", "input": "", "output": f"{label} it was", "history": [[asked, "In 1990."]]}
        for asked, label in zip(ASKED, LABELS, strict=True)
    ]
    _, report = audited(rows)
    assert not checks(report).keys() & {"conflict", "duplicate", "near-duplicate"}
    assert report.counts.conflict_rows.norm == 0


def test_an_answer_of_weight_0_is_in_no_output_and_is_told(audited: Any) -> None:
    wrong = {"role": "assistant", "content": "WRONG", "weight": 0}
    rows = [
        chat(asked, {"role": "assistant", "content": label}, {"role": "user", "content": "Sure?"}, wrong)
        for asked, label in zip(ASKED, LABELS, strict=True)
    ]
    loaded, report = audited([*rows, chat("Is it mine?", wrong)])
    assert [example.output for example in loaded.examples] == LABELS
    found = checks(report)
    assert (found["skipped-turns"], found["not-to-learn"]) == (4, 1)


def test_no_way_to_call_or_to_offer_tools_loses_a_row(audited: Any) -> None:
    function = {"name": "lookup", "arguments": '{"id": 7}'}
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}
    result, done = {"role": "tool", "tool_call_id": "c", "content": "found"}, {"role": "assistant", "content": "billing"}
    rows = [
        {**chat(ASKED[0], {"role": "assistant", "content": None, "function_call": function}), "functions": [{"name": "lookup"}]},
        {**chat(ASKED[1], called, result, done), "tools": [{"type": "function", "function": {"name": "lookup"}}]},
        {**chat(ASKED[2], done), "tools": [{"type": "function", "function": {"name": "lookup"}}]},
    ]
    loaded, report = audited(rows)
    assert len(loaded.examples) == 3 and all(example.tool_use.tools for example in loaded.examples)
    assert [len(example.tool_use.calls) for example in loaded.examples] == [1, 0, 0]
    assert [len(example.turns_after_input) for example in loaded.examples] == [0, 2, 0]
    assert not checks(report).keys() & {"unreadable", "turns", "unused-keys"}


def test_turns_are_numbered_as_in_the_file_whatever_the_columns_add(audited: Any) -> None:
    turns = [{"from": "human", "value": ASKED[0]}, {"from": "robot", "value": "x"}, {"from": "gpt", "value": "billing"}]
    good = {"conversations": [turns[0], turns[2]], "system": "You sort."}
    _, report = audited([{"conversations": turns, "system": "You sort."}, good])
    assert [row.note for finding in report.findings if finding.check == "turns" for row in finding.rows] == [
        "turn 2 has the unknown role 'robot'"
    ]


def test_preferences_name_the_route_that_is_for_them(audited: Any) -> None:
    rows = [{"prompt": asked, "chosen": label, "rejected": "no"} for asked, label in zip(ASKED, LABELS, strict=True)]
    _, report = audited(rows)
    (finding,) = [finding for finding in report.findings if finding.check == "preferences"]
    assert finding.count == 4 and "alignment first" in finding.action and "preference_problem" in finding.action


def test_every_key_that_nothing_acts_on_is_named_with_its_rows(audited: Any) -> None:
    answer = {"role": "assistant", "content": "billing", "name": "Ann", "mood": "good"}
    _, report = audited([{**chat(ASKED[0], answer), "tool_choice": "auto"}, {**chat(ASKED[1], answer), "parallel_tool_calls": True}])
    messages = [finding.message for finding in report.findings if finding.check in ("unused-keys", "unknown-keys")]
    assert [text.partition(":")[0] for text in messages] == [
        "2 rows have `name` in a turn",
        "1 row has `tool_choice`",
        "1 row has `parallel_tool_calls`",
        "turns of 2 rows have keys that are not read",
    ]
    assert "`mood`" in messages[-1]
