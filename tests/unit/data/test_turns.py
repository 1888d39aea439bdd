"""Every way of writing turns and tool calls is read into one form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuneproof.engine.data.cells import RowError
from tuneproof.engine.data.messages import FullMessage, Message, ToolCall, calls_in, with_calls
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.tool_calls import NotACall, calls_of, offered_tools
from tuneproof.engine.data.turns import Conversation, read_conversation

ASK, DONE = {"role": "user", "content": "Where is 7?"}, {"role": "assistant", "content": "In Oslo."}
FUNCTION = {"name": "find", "arguments": '{"id": 7}'}
FIND = ToolCall("find", '{"id": 7}')


def conversation(*turns: dict[str, Any]) -> Conversation:
    return read_conversation(list(turns), RowNotes())


@pytest.mark.parametrize(
    ("turns", "call_id", "name"),
    [
        (
            [
                ASK,
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": FUNCTION}]},
                {"role": "tool", "tool_call_id": "c1", "content": "Oslo"},
                DONE,
            ],
            "c1",
            "",
        ),
        (
            [
                ASK,
                {"role": "assistant", "content": None, "function_call": FUNCTION},
                {"role": "function", "name": "find", "content": "Oslo"},
                DONE,
            ],
            "",
            "find",
        ),
        (
            [
                {"from": "human", "value": "Where is 7?"},
                {"from": "function_call", "value": json.dumps({"name": "find", "arguments": {"id": 7}})},
                {"from": "observation", "value": "Oslo"},
                {"from": "gpt", "value": "In Oslo."},
            ],
            "",
            "",
        ),
        (
            [
                ASK,
                {"role": "assistant", "content": f"<tool_call>\n{json.dumps({'name': 'find', 'arguments': {'id': 7}})}\n</tool_call>"},
                {"role": "tool", "content": "<tool_response>\nOslo\n</tool_response>"},
                DONE,
            ],
            "",
            "",
        ),
        (
            [
                {"role": "user", "content": [{"type": "text", "text": "Where is 7?"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "find", "input": {"id": 7}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "Oslo"}]}]},
                {"role": "assistant", "content": [{"type": "text", "text": "In Oslo."}]},
            ],
            "c1",
            "",
        ),
    ],
    ids=["tool_calls", "function_call", "sharegpt", "hermes", "anthropic"],
)
def test_every_way_to_write_a_call_reads_to_the_same_turns(turns: list[dict[str, Any]], call_id: str, name: str) -> None:
    ask, call, result, done = conversation(*turns).turns
    assert (ask, done) == (Message("user", "Where is 7?"), Message("assistant", "In Oslo."))
    assert [(c.name, json.loads(c.arguments), c.id) for c in call.tool_calls] == [("find", {"id": 7}, call_id)] and call.content == ""
    assert (result.role, result.content, result.tool_call_id, result.name) == ("tool", "Oslo", call_id, name)


def test_what_is_said_beside_a_call_and_several_calls_are_one_turn() -> None:
    call = {"from": "function_call", "value": json.dumps({"name": "find", "arguments": {"id": 7}})}
    (turn,) = conversation({"from": "gpt", "value": "I look."}, call, call).turns
    assert turn == FullMessage("assistant", "I look.", (FIND, FIND))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "f"}, [("f", {})]),
        ({"name": "f", "arguments": ""}, [("f", {})]),
        ([{"name": "f", "parameters": {"a": "é"}}, {"function": {"name": "g", "arguments": "{}"}}], [("f", {"a": "é"}), ("g", {})]),
        ('[{"name": "f", "arguments": {"b": 1, "a": 2}}]', [("f", {"b": 1, "a": 2})]),
    ],
)
def test_calls_are_read_with_and_without_arguments_alone_and_in_lists(value: Any, expected: Any) -> None:
    assert [(call.name, json.loads(call.arguments)) for call in calls_of(value)] == expected


@pytest.mark.parametrize("value", ["find(7)", 7, {"arguments": "{}"}, {"name": "f", "arguments": "[1]"}, {"name": "f", "arguments": "{7"}])
def test_a_call_that_cannot_be_read_says_why(value: Any) -> None:
    with pytest.raises(NotACall):
        calls_of(value)
    with pytest.raises(RowError, match="turn 2 calls a tool, but "):
        conversation(ASK, {"role": "function_call", "content": value})


@pytest.mark.parametrize(
    "value",
    [
        [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        [{"name": "f", "parameters": {"type": "object"}}],
        {"name": "f", "input_schema": {"type": "object"}},
        '[{"name": "f", "parameters": {"type": "object"}}]',
        ['{"name": "f", "parameters": {"type": "object"}}'],
    ],
)
def test_every_way_to_offer_a_tool_reads_to_the_same_text(value: Any) -> None:
    assert offered_tools(value) == ('{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}',)


@pytest.mark.parametrize("value", [None, [], "", "[]"])
def test_no_tools_are_offered_by_an_empty_value(value: Any) -> None:
    assert offered_tools(value) == ()


def test_the_text_of_calls_reads_back() -> None:
    assert calls_in(with_calls("I look.", (FIND, FIND))) == ("I look.", (FIND, FIND))
    assert calls_in("Write <tool_call> and </tool_call> around it.") == ("Write <tool_call> and </tool_call> around it.", ())


def test_a_plain_turn_has_no_more_than_role_and_text() -> None:
    padded = {"role": "user", "content": "Hi", "name": None, "tool_calls": None, "weight": None}
    assert conversation(padded, {"role": "Assistant", "content": "Hello"}).turns == (Message("user", "Hi"), Message("assistant", "Hello"))
    assert type(conversation(padded).turns[0]) is Message


@pytest.mark.parametrize("key", ["reasoning_content", "thinking", "reasoning"])
def test_reasoning_belongs_to_its_turn(key: str) -> None:
    (turn,) = conversation({"role": "assistant", "content": "4", key: "2 + 2"}).turns
    assert (turn.content, turn.reasoning) == ("4", "2 + 2")


@pytest.mark.parametrize("turn", [{"weight": 0}, {"weight": 0.0}, {"train": False}, {"loss": False}, {"weight": "0"}])
def test_turns_that_are_not_learned_are_known(turn: dict[str, Any]) -> None:
    assert conversation(ASK, DONE, ASK, {**DONE, **turn}).unlearned == {3}
    assert conversation({**ASK, "weight": 0}, {**DONE, "weight": 1}).unlearned == frozenset()


def test_a_turn_with_a_call_and_a_result_is_not_read_in_part() -> None:
    blocks = [{"type": "tool_use", "id": "a", "name": "find", "input": {}}, {"type": "tool_result", "tool_use_id": "a", "content": "7"}]
    with pytest.raises(RowError, match="write them as two turns"):
        read_conversation([{"role": "user", "content": "Where?"}, {"role": "assistant", "content": blocks}], RowNotes())
