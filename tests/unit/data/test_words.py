"""Words of any script, and texts that count as the same under `loose`."""

from __future__ import annotations

import pytest

from tuneproof.engine.data.example import loose
from tuneproof.engine.data.spaceless import words_of
from tuneproof.engine.scoring.text_units import tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [("दिन", "दीन"), ("কাল", "কুল"), ("ดี", "ดู"), ("ကိ", "ကု"), ("កិ", "កុ")],
    ids=["Hindi", "Bengali", "Thai", "Burmese", "Khmer"],
)
def test_texts_that_differ_in_a_vowel_sign_are_not_the_same(one: str, other: str) -> None:
    assert loose(one) != loose(other)


def test_punctuation_emoji_and_their_marks_make_no_difference() -> None:
    assert loose("मुझे पानी चाहिए।") == loose("मुझे पानी, चाहिए") and loose("good \u2764\ufe0f!") == "good"


def test_a_vowel_sign_does_not_end_a_word() -> None:
    assert words_of("मुझे पानी चाहिए।") == ["मुझे", "पानी", "चाहिए"]


@pytest.mark.parametrize("text", ["我爱你", "コーヒー", "เขา", "ကခ", "កខ"])
def test_every_character_of_a_script_without_spaces_is_a_word_for_the_audit_and_for_metrics(text: str) -> None:
    assert tokens(text) == words_of(text) == list(text)
