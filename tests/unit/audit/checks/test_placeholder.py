"""Placeholders are found, and answers and labels that look like them are not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import example, instead, lines, notes, planted_rows
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Message

PLACEHOLDERS = [
    "<noinput>",
    "No input",
    "no_input",
    "N/A",
    "n/a.",
    "None",
    "null",
    "TODO",
    "tbd",
    "???",
    "-",
    "...",
    "Lorem ipsum",
    "[none]",
]
PLACEHOLDERS += [
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.",
    "Insert your text here",
    "{input}",
    "NaN",
]
PLACEHOLDERS += ["{input}", "[none]", "NaN", "Not applicable", "No input needed.", "<empty>", "#N/A", "xxxx", "{{ question }}"]


EDITS = [edit for planted in PLACEHOLDERS for edit in instead(planted)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_placeholders_planted_in_inputs_and_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("input", "output"))
    assert lines("placeholder", rows) == expected


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "no!", "nothing", "na", "5", "?", "nobody", "none of them", "put it here", "notes", "x", "-5", "C", "todo list", "<b>"],
)
def test_short_texts_are_no_placeholders(text: str) -> None:
    assert notes("placeholder", text, text) == []


def test_what_people_say_in_a_conversation_is_no_placeholder() -> None:
    turns = (Message("user", "Hi"), Message("assistant", "Any allergies?"))
    assert lines("placeholder", [example(1, "None", "Good.", turns), example(2, "...", "Yes?", turns)]) == []
    assert lines("placeholder", [example(1, "<noinput>", "Good.", turns)]) == [1]


def test_a_label_is_no_placeholder() -> None:
    task = Task.model_validate({"output": {"kind": "choice", "choices": ["todo", "done", "None"]}})
    rows = [example(line, f"text {line}", "done") for line in range(1, 100)]
    rows += [example(100, "text", "todo"), example(101, "texts", "none"), example(102, "other", "n/a")]
    assert lines("placeholder", rows, task) == [102]
    assert lines("placeholder", rows) == [100, 101, 102]
