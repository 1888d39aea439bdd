"""Invisible and unreadable characters are found where they are planted, and left alone where they belong."""

# Characters that look like others are what is tested here.
# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import clean, everywhere, findings, lines, notes, planted_rows
from tuneproof.engine.data.example import Example, Source

CONTROLS = [*"\x00\x07\x08\x0b\x1b\x7f\x85\x9d\ufffd\ufeff\u202e\xad\uffff", "\u200b\u200b", "a\u200bb", "x\u200d♀", "\U000e0041"]


EDITS = [edit for planted in CONTROLS for edit in everywhere(planted)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_stray_characters_planted_in_inputs_and_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("input", "output"))
    assert lines("control-characters", rows) == expected


def test_rows_of_a_separate_eval_file_are_checked_too() -> None:
    scored = [Example("", "What is N?", "caf\x00", Source("eval.jsonl", 7))]
    (finding,) = findings("control-characters", [clean(1)], scored)
    assert [(str(row.at), row.note) for row in finding.rows] == [("eval.jsonl:7", "output: U+0000")]


@pytest.mark.parametrize(
    "text",
    [
        "tabs\tand\r\nlines",
        "👩‍👩‍👧 🏳️‍🌈 🤷🏽‍♀️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "می‌خواهم و نمی‌خواهم",
        "قال \u2067شيئا\u2069 ثم ذهب \u202bإلى\u202c البيت",
        "सङ्‌घ क्‍ष",
        "ภาษา\u200bไทย",
        "വടക്കന്\u200d അല്\u200d\u200cറ്റായി",
        "a\u00a0b\u2028c",
    ],
)
def test_characters_that_belong_to_a_text_are_left_alone(text: str) -> None:
    assert notes("control-characters", text) == []


def test_a_lost_emoji_is_found_by_the_joiner_that_it_left() -> None:
    assert notes("control-characters", "Just be roommates. \u200d♀️") == ["input: U+200D ZERO WIDTH JOINER"]
