"""With `data.turns: all` every turn of the assistant is an example, and a conversation stays on one side of the split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.audit.checks.split_groups import split_groups
from tuneproof.engine.audit.groups.case_groups import case_groups
from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import SplitShares, Turns
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.freeze import examples_from_jsonl, examples_to_jsonl
from tuneproof.engine.data.notes import UnansweredTurns
from tuneproof.engine.data.problems import BadTurns, NothingToLearn
from tuneproof.engine.data.readers import LoadedExamples, read_examples
from tuneproof.engine.data.split import Part, case_ids, split

CALL = {"tool_calls": [{"function": {"name": "find", "arguments": {"id": 7}}}]}


def turns(*texts: str) -> list[dict[str, Any]]:
    """Turns of user and assistant by turns; a text that begins with a role and a colon is that role's."""
    named = [text.partition(": ") for text in texts]
    return [{"role": role, "content": text} if mark else {"role": "user", "content": role} for role, mark, text in named]


def read(tmp_path: Path, *rows: dict[str, Any], wanted: Turns = Turns.ALL) -> LoadedExamples:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_examples(str(path), turns=wanted)


def chat(number: int, length: int = 3, **more: Any) -> dict[str, Any]:
    """A conversation of several questions, which are like those of no other."""
    asked = [(f"question {number} {at} {number * 7919 + at}", f"assistant: answer {number} {at}") for at in range(length)]
    return {"messages": turns("system: Be brief.", *(text for pair in asked for text in pair)), **more}


def test_every_answer_is_an_example_with_the_turns_before_it(tmp_path: Path) -> None:
    first, second, last = read(tmp_path, chat(1)).examples
    assert [e.output for e in (first, second, last)] == ["answer 1 0", "answer 1 1", "answer 1 2"]
    assert [len(e.history) for e in (first, second, last)] == [0, 2, 4]
    assert second.history[1].content == "answer 1 0" and second.system == "Be brief."
    assert len({e.conversation for e in (first, second, last)}) == len({e.source for e in (first, second, last)}) == 1
    assert read(tmp_path, chat(1), wanted=Turns.LAST).examples[0].output == "answer 1 2"


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": role, "value": text} for role, text in zip(["human", "gpt"] * 2, "abcd", strict=True)]},
        {"prompt": turns("a"), "completion": turns("assistant: b", "c", "assistant: d")},
        {"messages": turns("a", "assistant: b", "c", "assistant: d", "e")},
        {"messages": [*turns("a", "assistant: b", "c", "assistant: d", "e"), {"role": "assistant", "content": "f", "weight": 0}]},
    ],
)
def test_every_shape_of_conversation_has_its_turns(row: dict[str, Any], tmp_path: Path) -> None:
    loaded = read(tmp_path, row)
    assert [example.output for example in loaded.examples] == ["b", "d"] and not loaded.problems and not loaded.notes.rows


def test_calls_and_the_answers_after_them_are_examples(tmp_path: Path) -> None:
    after = turns("tool: Oslo", "assistant: In Oslo.", "Thanks", "assistant: Gladly.")
    row = {"messages": [*turns("Where is 7?"), {"role": "assistant", **CALL}, *after]}
    call, answer, later = read(tmp_path, row).examples
    assert "find" in call.output and call.turns_after_input == () and answer.input == call.input == "Where is 7?"
    assert [turn.role for turn in answer.turns_after_input] == ["assistant", "tool"] and answer.output == "In Oslo."
    assert [turn.role for turn in later.history] == ["user", "assistant", "tool", "assistant"] and later.turns_after_input == ()


def test_turns_that_answer_nobody_are_counted_and_those_not_to_learn_are_none(tmp_path: Path) -> None:
    opening = {"messages": turns("assistant: Hello!", "a", "assistant: b")}
    unlearned = {"messages": [*turns("a"), {"role": "assistant", "content": "b", "weight": 0}]}
    loaded = read(tmp_path, opening, unlearned, {"messages": turns("a")}, {"messages": turns("assistant: b")})
    assert [example.output for example in loaded.examples] == ["b"] and loaded.examples[0].history[0].content == "Hello!"
    assert [len(rows) for _, rows in loaded.notes.of(UnansweredTurns)] == [1]
    assert [type(problem) for _, problem in loaded.problems] == [NothingToLearn, BadTurns, BadTurns]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return read(tmp_path_factory.mktemp("many"), *(chat(number, customer=1 + number // 4) for number in range(80))).examples


def test_a_conversation_stays_on_one_side_of_the_split(many: list[Example]) -> None:
    parts = split(many, SplitShares())
    places = {example.conversation: {part for part in Part if example in parts[part]} for example in many}
    assert {len(each) for each in places.values()} == {1} and all(len(parts[part]) > 9 for part in Part)
    frozen = [example for _, example in examples_from_jsonl(examples_to_jsonl(parts.eval))]
    assert frozen == parts.eval and all(example.conversation for example in frozen)


def test_equal_turns_of_conversations_in_two_parts_stay_in_one(tmp_path: Path) -> None:
    rows = [{"messages": [*turns("Hello", "assistant: Hello!"), *chat(number)["messages"][1:]]} for number in range(40)]
    parts = split(read(tmp_path, *rows).examples, SplitShares())
    greeted = [part for part in Part if any(example.input == "Hello" for example in parts[part])]
    assert greeted == [Part.EVAL] and parts.cross_split_duplicates


def test_the_interval_counts_a_conversation_once(many: list[Example]) -> None:
    cases = list(zip(case_ids(many), many, strict=True))
    groups = case_groups([(name, replace(example, metadata={})) for name, example in cases], None)
    assert groups.field_name == "conversation" and len(set(groups.of_case.values())) == 80 and len(groups.of_case) == 240
    assert len(set(case_groups(cases, "customer").of_case.values())) == 20


def test_a_field_that_joins_conversations_is_the_wider_group(tmp_path: Path) -> None:
    examples = read(tmp_path, *(chat(number, user_id=f"u{number // 4}") for number in range(8))).examples
    groups = case_groups(list(zip(case_ids(examples), examples, strict=True)), None)
    assert (groups.field_name, len(set(groups.of_case.values()))) == ("user_id", 2)


def test_turns_of_one_conversation_are_no_near_rows_but_copies_of_one_are(tmp_path: Path) -> None:
    long = chat(1, length=12)
    alone = read(tmp_path, long, chat(2)).examples
    assert join_rows(Rows(alone), Rows()).pairs() == 0
    changed = json.loads(json.dumps(long).replace("answer 1 0", "answer one"))
    assert join_rows(Rows(read(tmp_path, long, changed).examples), Rows()).pairs() > 0


def test_groups_that_the_split_keeps_together_anyway_are_not_reported(many: list[Example]) -> None:
    alone = [replace(example, metadata={"conversation_id": example.conversation}) for example in many]
    assert list(split_groups(Table(Rows(alone), Rows(), []))) == []
    (finding,) = split_groups(Table(Rows(many), Rows(), []))
    assert finding.group_by == "customer"


def test_tools_that_every_row_offers_make_no_rows_alike(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "find", "description": "Finds an order by its number, wherever it is now."}}]
    calls = [{"tool_calls": [{"function": {"name": "find", "arguments": {"id": at}}}]} for at in (1, 2)]
    rows = [
        {"messages": [*turns(text), {"role": "assistant", **call}], "tools": tools}
        for text, call in zip(["Where is my blue bicycle?", "When will the parcel come?"], calls, strict=True)
    ]
    near = join_rows(Rows(read(tmp_path, *rows).examples), Rows())
    assert near.pairs() == 0 and near.boilerplate == []
