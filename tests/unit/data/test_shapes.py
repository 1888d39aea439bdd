"""Each shape of row is recognised by its keys and reads to the same example."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.data.example import Message
from tuneproof.engine.data.problems import BadTurns, UnreadableRow
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
    is_of_another_kind = turns == "text" or any("tool_calls" in turn or turn["role"] == "tool" for turn in turns)
    assert source.line == 1 and isinstance(problem, UnreadableRow if is_of_another_kind else BadTurns)
    assert len(loaded.examples) == 1
