"""Marks of chat formats inside text are found in every field, and markup is not mistaken for them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import everywhere, example, findings, lines, notes, planted_rows
from tuneproof.engine.data.example import Message

CHAT = [
    "<|im_start|>",
    "<|endoftext|>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<start_of_turn>",
    "<|eot_id|>",
    "<eos>",
    "\n### Instruction: x\n### Response: ",
]


EDITS = [edit for planted in CHAT for edit in everywhere(planted)]
TURNS_IN_OUTPUT = [lambda text: text + "\nHuman: and then?", lambda text: text + "\nAssistant: Yes.\nHuman: And then?"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_chat_marks_planted_in_inputs_and_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("input", "output"))
    assert lines("chat-tokens", rows) == expected


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_turns_planted_in_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, TURNS_IN_OUTPUT, ("output",))
    assert lines("chat-tokens", rows) == expected


def test_the_instruction_and_earlier_turns_are_checked_too() -> None:
    turns = (Message("user", "Hello"), Message("assistant", "<|im_end|>"))
    rows = [example(1, "Well?", "Yes.", turns), *(example(line, "Well?", "Yes.", instruction="Go [INST] on") for line in (2, 3))]
    (finding,) = findings("chat-tokens", rows)
    assert [(row.at.line, row.note) for row in finding.rows] == [
        (1, "turn 2: <|im_end|>"),
        (2, "instruction: [INST]"),
        (3, "instruction: [INST]"),
    ]


@pytest.mark.parametrize(
    "output",
    [
        "<p>Was <s>20</s> now 10</p>",
        "if a < b | c > d: print([INSTANCE])",
        "# Instruction\nDo this.",
        "# Model card\n## Input: text\nUp to 512 tokens.",
        "A turn ends at `<|im_end|>`.",
        "```\n<s>[INST] Hi [/INST]\n```",
        "Human: Who goes there?\nAssistant: A friend.",
        "The human: a history",
        "<<3*4=12>>12 eggs",
        "<bosun> <padding>",
        "update-alternatives --install <link> <naam> <pad>",
        "| a | b |\n|---|---|",
    ],
)
def test_markup_is_no_chat_mark(output: str) -> None:
    assert notes("chat-tokens", output, output) == []


def test_turns_of_a_script_in_an_input_are_no_chat_marks() -> None:
    assert notes("chat-tokens", "Summarise.\nHuman: Hi.\nAssistant: Hello.") == []
