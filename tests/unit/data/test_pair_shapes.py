"""Rows with a request and an answer are read under the names that data sets have for the two."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.data.example import Message
from tuneproof.engine.data.messages import ToolUse
from tuneproof.engine.data.notes import PairKind, PreferencePair, UnusedKey
from tuneproof.engine.data.problems import NothingToLearn
from tuneproof.engine.data.readers import read_examples

TURNS = [{"role": "user", "content": "two?"}, {"role": "assistant", "content": "2"}]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        *[("query", "response"), ("question", "answer"), ("human", "ai"), ("human", "assistant"), ("prompt", "response")],
        *[("text", "label"), ("text", "labels"), ("input", "target"), ("text", "target"), ("source", "target"), ("sentence", "label")],
        *[("document", "summary"), ("dialogue", "summary"), ("instruction", "response")],
    ],
)
def test_a_pair_is_recognised_by_its_names(write_jsonl: Any, asked: str, answered: str) -> None:
    loaded = read_examples(str(write_jsonl([{asked: "two?", answered: "2", "site": "web"}])))
    (example,) = loaded.examples
    assert (example.instruction, example.input, example.output, example.metadata) == ("", "two?", "2", {"site": "web"})


@pytest.mark.parametrize(
    ("row", "instruction", "given"),
    [
        ({"instruction": "When?", "context": "It opened in 1990.", "response": "1990"}, "When?", "It opened in 1990."),
        ({"instruction": "When?", "context": "", "response": "1990", "category": "open_qa"}, "", "When?"),
        ({"question": "When?", "context": "It opened in 1990.", "answer": "1990"}, "", "It opened in 1990.\n\nWhen?"),
        ({"question": "When?", "context": ["A.", "B."], "answer": "1990"}, "", "A.\n\nB.\n\nWhen?"),
        ({"question": "When?", "context": "It.", "answers": {"text": ["1990"], "answer_start": [3]}}, "", "It.\n\nWhen?"),
    ],
    ids=["dolly", "dolly without context", "context", "paragraphs", "squad"],
)
def test_the_passage_that_a_question_is_about_is_read(write_jsonl: Any, row: dict[str, Any], instruction: str, given: str) -> None:
    (example,) = read_examples(str(write_jsonl([row]))).examples
    assert (example.instruction, example.input, example.output) == (instruction, given, "1990")
    assert "context" not in example.metadata


def test_the_name_of_a_label_is_learned_and_not_its_number(write_jsonl: Any) -> None:
    (example,) = read_examples(str(write_jsonl([{"text": "Late!", "label": 0, "label_text": "complaint"}]))).examples
    assert (example.output, example.metadata) == ("complaint", {"label": 0})


@pytest.mark.parametrize(
    ("labels", "outputs"),
    [
        ([["a"], ["b"]], ["a", "b"]),
        ([["a"], ["b", "c"]], ['["a"]', '["b", "c"]']),
        ([["a"], []], ['["a"]', "[]"]),
        (["a", ["b", "c"]], ['["a"]', '["b", "c"]']),
        ([[1], [2]], ["1", "2"]),
    ],
)
def test_lists_of_labels_are_json_lists_unless_every_row_has_one(write_jsonl: Any, labels: list[Any], outputs: list[str]) -> None:
    rows = [{"text": f"text {at}", "label": label} for at, label in enumerate(labels)]
    examples = read_examples(str(write_jsonl(rows))).examples
    assert [example.output for example in examples] == outputs and {type(example.output) for example in examples} == {str}


def test_system_history_tools_and_reasoning_of_a_pair_are_read(write_jsonl: Any) -> None:
    more = {"system": "Be brief.", "history": [["one?", "1"]], "tools": '[{"name": "add"}]', "thinking": "1 + 1", "id": 4}
    (example,) = read_examples(str(write_jsonl([{"query": "two?", "response": "2", **more}]))).examples
    assert (example.system, example.history) == ("Be brief.", (Message("user", "one?"), Message("assistant", "1")))
    assert (example.input, example.output) == ("two?", "<think>\n1 + 1\n</think>\n\n2")
    assert example.tool_use == ToolUse(('{"type": "function", "function": {"name": "add"}}',)) and example.metadata == {"id": 4}


def test_a_column_of_prose_called_tools_stays_metadata(write_jsonl: Any) -> None:
    loaded = read_examples(str(write_jsonl([{"question": "How to hang it?", "answer": "Drill.", "tools": "hammer, drill"}])))
    assert loaded.examples[0].metadata == {"tools": "hammer, drill"} and not loaded.notes.rows


@pytest.mark.parametrize("key", ["images", "tool_choice", "parallel_tool_calls", "options", "response_format"])
@pytest.mark.parametrize("row", [{"question": "two?", "answer": "2"}, {"messages": TURNS}], ids=["pair", "chat"])
def test_keys_that_nothing_acts_on_are_told(write_jsonl: Any, row: dict[str, Any], key: str) -> None:
    loaded = read_examples(str(write_jsonl([{**row, key: ["a"]}, {**row, key: None}, row])))
    ((note, rows),) = loaded.notes.of(UnusedKey)
    assert note.key == key and [row.line for row in rows] == [1]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "two?", "chosen": "2", "rejected": "3"},
        {"question": "two?", "chosen": "2", "rejected": "3", "system": ""},
        {"instruction": "two?", "input": "", "chosen": "2", "rejected": "3"},
        {"prompt": "two?", "chosen": TURNS, "rejected": TURNS, "messages": TURNS},
        {"chosen": TURNS, "rejected": TURNS},
        {"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": TURNS[1:]},
        {"prompt": TURNS[:1], "chosen": "2", "rejected": "3"},
        {
            "conversations": [{"from": "human", "value": "two?"}],
            "chosen": {"from": "gpt", "value": "2"},
            "rejected": {"from": "gpt", "value": "3"},
        },
        {"chosen": "\n\nHuman: two?\n\nAssistant: 2", "rejected": "\n\nHuman: two?\n\nAssistant: 3"},
    ],
)
def test_the_chosen_answer_of_a_pair_is_the_output_and_it_is_told(write_jsonl: Any, row: dict[str, Any]) -> None:
    loaded = read_examples(str(write_jsonl([row])))
    (example,) = loaded.examples
    assert (example.input, example.output, loaded.shapes) == ("two?", "2", {"rows.jsonl": "chosen/rejected"})
    assert loaded.notes.of(PreferencePair) == [(PreferencePair(PairKind.BETTER_AND_WORSE), [example.source])]
    assert "rejected" in example.metadata


@pytest.mark.parametrize(
    "row",
    [
        {"query": "two?", "response": "2", "rejected_response": "3"},
        {"messages": TURNS, "rejected_response": "3"},
        {"input": {"messages": TURNS[:1], "tools": []}, "preferred_output": TURNS[1:], "non_preferred_output": TURNS[1:]},
    ],
    ids=["query", "messages", "openai"],
)
def test_a_worse_answer_beside_the_output_is_told(write_jsonl: Any, row: dict[str, Any]) -> None:
    loaded = read_examples(str(write_jsonl([row])))
    assert (loaded.examples[0].input, loaded.examples[0].output) == ("two?", "2")
    assert [note.kind for note, _ in loaded.notes.of(PreferencePair)] == [PairKind.BETTER_AND_WORSE]


def test_turns_in_a_table_are_read_from_their_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["messages", "id"], [json.dumps(TURNS), "7"], ["[{", "8"]])
    loaded = read_examples(str(path))
    assert [(e.input, e.output, e.metadata) for e in loaded.examples] == [("two?", "2", {"id": "7"})]
    assert [problem.message for _, problem in loaded.problems] == ["the conversation is not a list of turns"]


@pytest.mark.parametrize("row", [{"prompt": "two?", "completion": "2"}, {"messages": TURNS}], ids=["texts", "turns"])
@pytest.mark.parametrize(("good", "bad"), [(True, False), ("True", "false")])
def test_an_answer_that_is_marked_as_bad_is_not_learned(write_jsonl: Any, row: dict[str, Any], good: Any, bad: Any) -> None:
    loaded = read_examples(str(write_jsonl([{**row, "label": good}, {**row, "label": bad}])))
    assert [example.source.line for example in loaded.examples] == [1]
    assert [(source.line, type(problem)) for source, problem in loaded.problems] == [(2, NothingToLearn)]
    assert [note.kind for note, _ in loaded.notes.of(PreferencePair)] == [PairKind.GOOD_OR_BAD]


def test_contents_of_gemini_are_turns(write_jsonl: Any) -> None:
    contents = [{"role": "user", "parts": [{"text": "two?"}]}, {"role": "model", "parts": [{"text": "2"}]}]
    row = {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": contents}
    (example,) = read_examples(str(write_jsonl([row]))).examples
    assert (example.system, example.input, example.output) == ("Be brief.", "two?", "2")


@pytest.mark.parametrize(
    "row",
    [
        {"question": "two?", "answer": "<think>\nno\n</think>\n\n2", "thinking": "1 + 1"},
        {"messages": [TURNS[0], {"role": "assistant", "content": "<think>\nno\n</think>\n\n2", "thinking": "1 + 1"}]},
    ],
    ids=["pair", "chat"],
)
def test_reasoning_beside_an_answer_that_has_its_own_is_told(write_jsonl: Any, row: dict[str, Any]) -> None:
    loaded = read_examples(str(write_jsonl([row])))
    assert loaded.examples[0].output == "<think>\nno\n</think>\n\n2"
    assert [note.key for note, _ in loaded.notes.of(UnusedKey)] == ["reasoning"]


def test_every_result_in_a_turn_of_gemini_is_a_turn(write_jsonl: Any) -> None:
    results = [{"functionResponse": {"name": name, "response": {"found": name}}} for name in ("find", "count")]
    contents = [
        {"role": "user", "parts": [{"text": "where?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}} for name in ("find", "count")]},
        {"role": "user", "parts": results},
        {"role": "model", "parts": [{"text": "there"}]},
    ]
    (example,) = read_examples(str(write_jsonl([{"contents": contents}]))).examples
    assert [(turn.name, turn.content) for turn in example.turns_after_input[1:]] == [
        ("find", '{"found": "find"}'),
        ("count", '{"found": "count"}'),
    ]


@pytest.mark.parametrize("prompt", ["two?", [{"role": "user", "content": "two?"}]])
@pytest.mark.parametrize("completion", ["2", [{"role": "assistant", "content": "2"}]])
def test_prompt_and_completion_are_each_a_text_or_turns(write_jsonl: Any, prompt: Any, completion: Any) -> None:
    (example,) = read_examples(str(write_jsonl([{"prompt": prompt, "completion": completion}]))).examples
    assert (example.input, example.output) == ("two?", "2")


def test_a_completion_that_is_a_list_of_objects_stays_an_answer(write_jsonl: Any) -> None:
    (example,) = read_examples(str(write_jsonl([{"prompt": "two?", "completion": [{"type": "number", "text": "2"}]}]))).examples
    assert example.output == '[{"type": "number", "text": "2"}]'
