"""Outputs that decline to answer are found, and apologies inside answers are not."""

# Characters that look like others are what is tested here.
# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import Edit, instead, lines, notes, planted_rows

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "As an AI language model, I have no opinions on that.",
    "I cannot provide that information.",
    "I am unable to answer that question.",
    "Sorry. I'm not able to help with this.",
    "I'm sorry, but I can't.",
]


def before(planted: str) -> Edit:
    return lambda text: f"{planted} {text}"


# The last refusal is one only if nothing follows it.
EDITS = [edit for planted in REFUSALS for edit in (*instead(planted), before(planted))][:-1]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_refusals_planted_in_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("output",))
    assert lines("refusal", rows) == expected


@pytest.mark.parametrize(
    "output",
    [
        "I'm sorry to hear that your order is late. It arrives on Monday.",
        "I can't wait to see you!",
        "I cannot stress this enough: save often.",
        "She said that I can't do everything.",
        "As an AI researcher, I work on vision.",
        "I can't help but smile at this.",
        "He was unable to help them.",
        "No, I can't.",
    ],
)
def test_apologies_are_no_refusals(output: str) -> None:
    assert notes("refusal", "Say something.", output) == []
