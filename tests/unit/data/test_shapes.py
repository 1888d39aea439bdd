"""Each shape of row is recognised by its keys and reads to the same example."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.data.example import Message
from tuneproof.engine.data.messages import FullMessage, ToolCall, ToolUse
from tuneproof.engine.data.notes import SkippedTurns, UnusedKey
from tuneproof.engine.data.problems import BadTurns, NothingToLearn, UnreadableRow
from tuneproof.engine.data.readers import read_examples

SYSTEM, ASK, ANSWER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "two?"}, {"role": "assistant", "content": "2"}


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"prompt": "two?", "completion": "2"}, "prompt/completion"),
        ({"messages": [ASK, ANSWER]}, "messages"),
        ({"conversations": [{"from": "human", "value": "two?"}, {"from": "gpt", "value": "2"}]}, "conversations"),
        ({"instruction": "two?", "input": "", "output": "2"}, "instruction/input/output"),
        ({"input": "two?", "output": "2"}, "input/output"),
        ({"prompt": [ASK], "completion": [ANSWER]}, "prompt/completion"),
    ],
)
def test_each_shape_is_recognised_by_its_keys(write_jsonl: Any, row: dict[str, Any], shape: str) -> None:
    loaded = read_examples(str(write_jsonl([{**row, "source": "web"}])))
    (example,) = loaded.examples
    assert (example.instruction, example.input, example.output) == ("", "two?", "2")
    assert example.metadata == {"source": "web"}
    assert loaded.shapes == {"rows.jsonl": shape}


def test_a_chat_of_several_turns_keeps_its_system_and_history(write_jsonl: Any) -> None:
    (example,) = read_examples(str(write_jsonl([{"messages": [SYSTEM, ASK, ANSWER, ASK, ANSWER]}]))).examples
    assert example.system == "Be brief."
    assert example.history == (Message("user", "two?"), Message("assistant", "2"))


@pytest.mark.parametrize(
    "turns",
    [
        [ASK],
        [ANSWER],
        [ASK, {"role": "robot", "content": "2"}],
        [ASK, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}],
        [ASK, ANSWER, ANSWER],
        [SYSTEM],
        [ASK, SYSTEM, ANSWER],
        [ASK, ANSWER, {"role": "tool", "content": "3"}, ANSWER],
        "text",
        [],
    ],
)
def test_a_chat_without_an_answer_to_train_on_is_a_problem(write_jsonl: Any, turns: Any) -> None:
    loaded = read_examples(str(write_jsonl([{"messages": turns}, {"messages": [ASK, ANSWER]}])))
    ((source, problem),) = loaded.problems
    is_of_another_kind = turns == "text" or any("tool_calls" in turn for turn in turns)
    assert source.line == 1 and isinstance(problem, UnreadableRow if is_of_another_kind else BadTurns)
    assert len(loaded.examples) == 1


@pytest.mark.parametrize(
    "history",
    [
        [["When was it closed?", "In 1990."]],
        '[["When was it closed?", "In 1990."]]',
        [{"role": "user", "content": "When was it closed?"}, {"role": "assistant", "content": "In 1990."}],
    ],
)
def test_the_history_of_an_alpaca_row_is_its_earlier_turns(write_jsonl: Any, history: Any) -> None:
    row = {"instruction": "And the year after?", "input": "Briefly.", "output": "It burned.", "history": history}
    (example,) = read_examples(str(write_jsonl([row]))).examples
    assert example.history == (Message("user", "When was it closed?"), Message("assistant", "In 1990."))
    # Both are of the last turn, and would be an instruction of the first one.
    assert (example.instruction, example.input, example.metadata) == ("", "And the year after?\nBriefly.", {})


@pytest.mark.parametrize(
    ("history", "noted"),
    [
        ("Asthma since 1990.", []),
        ({"When?": "1990"}, []),
        ([["When?"]], ["history"]),
        ([["a", "b", "c"]], ["history"]),
        ([[1, ["a"]]], ["history"]),
    ],
)
def test_a_history_that_is_no_list_of_pairs_is_metadata_and_told_if_it_looks_like_turns(write_jsonl: Any, history: Any, noted: Any) -> None:
    loaded = read_examples(str(write_jsonl([{"instruction": "Why?", "output": "So.", "history": history}])))
    assert loaded.examples[0].metadata == {"history": history} and loaded.examples[0].history == ()
    assert [note.key for note, _ in loaded.notes.of(UnusedKey)] == noted


def test_a_turn_with_weight_0_is_never_the_output(write_jsonl: Any) -> None:
    wrong = {**ANSWER, "content": "WRONG", "weight": 0}
    loaded = read_examples(str(write_jsonl([{"messages": [ASK, ANSWER, ASK, wrong]}, {"messages": [ASK, wrong]}])))
    (example,) = loaded.examples
    assert (example.input, example.output, example.history) == ("two?", "2", ())
    assert loaded.notes.of(SkippedTurns) == [(SkippedTurns("weight"), [example.source])]
    ((_, problem),) = loaded.problems
    assert isinstance(problem, NothingToLearn) and "`weight`" in problem.message


def test_reasoning_of_the_answer_is_learned_before_it(write_jsonl: Any) -> None:
    turns = [ASK, {**ANSWER, "reasoning_content": "1 + 1"}, ASK, {**ANSWER, "reasoning_content": "It is still 2."}]
    loaded = read_examples(str(write_jsonl([{"messages": turns}])))
    assert loaded.examples[0].output == "<think>\nIt is still 2.\n</think>\n\n2"
    assert [note.key for note, _ in loaded.notes.of(UnusedKey)] == ["reasoning"]


def test_an_answer_after_a_call_has_the_call_and_its_result_between_question_and_answer(write_jsonl: Any) -> None:
    call = {"from": "function_call", "value": '{"name": "f", "arguments": {}}'}
    turns = [{"from": "human", "value": "two?"}, call, {"from": "observation", "value": "2"}, {"from": "gpt", "value": "2"}]
    rows = [{"conversations": turns, "system": "Sort."}, {"conversations": [turns[0], turns[-1]], "system": "Sort.", "tools": "[]"}]
    loaded = read_examples(str(write_jsonl(rows)))
    assert [example.output for example in loaded.examples] == ["2", "2"]
    assert loaded.examples[0].tool_use == ToolUse(turns=(FullMessage("assistant", "", (ToolCall("f", "{}"),)), Message("tool", "2")))
    assert loaded.examples[1].tool_use is None and loaded.notes.rows == {} and loaded.problems == []


def test_tools_that_are_offered_are_kept(write_jsonl: Any) -> None:
    loaded = read_examples(str(write_jsonl([{"messages": [ASK, ANSWER], "tools": [{"type": "function", "function": {"name": "f"}}]}])))
    assert loaded.examples[0].tool_use == ToolUse(tools=('{"type": "function", "function": {"name": "f"}}',))
    assert loaded.notes.rows == {}
