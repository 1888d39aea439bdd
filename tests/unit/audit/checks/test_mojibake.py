"""Text read in the wrong encoding is found, and right accents and quotes are not."""

# Characters that look like others are what is tested here.
# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import everywhere, lines, notes, planted_rows

MOJIBAKE = ["Ã©", "â€™", "â€œ", "Â°", "Ã¼", "ð\x9f\x98\x80", "ðŸ˜€", "ï»¿", "â‚¬", "Ã\xa0"]


EDITS = [edit for planted in MOJIBAKE for edit in everywhere(planted)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_garbled_characters_planted_in_inputs_and_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("input", "output"))
    assert lines("mojibake", rows) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Crème brûlée à la française, señor Muñoz, Ångström, GRÖSSE",
        "AMANHÃ… e ela disse “IRMÔ",
        "le CAFÉ… «PÉ»",
        "Das Ä™ allein",
        "£5 – “quotes” – it’s €20 ™ © 25°C",
        "ní·ša xá·š",
        "Ελλάδα Россия 日本 中文 한국어",
        "ÀÉÎÕÜ àéîõü",
    ],
)
def test_accents_and_quotes_are_not_mojibake(text: str) -> None:
    assert notes("mojibake", text) == []


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abc éèüñçß“”’–€ÀÖ", min_size=1, max_size=40), st.sampled_from(["cp1252", "latin-1"]))
def test_a_text_read_in_the_wrong_encoding_is_found(text: str, encoding: str) -> None:
    try:
        garbled = text.encode().decode(encoding)
    except UnicodeDecodeError:
        return
    assert bool(notes("mojibake", garbled)) == (garbled != text)
    if text.isascii() or not is_a_reading_of_other_bytes(text):
        assert notes("mojibake", text) == []


def is_a_reading_of_other_bytes(text: str) -> bool:
    """Whether all of it could have come from reading another text wrongly, as “ç––” from “疖”: then nobody can tell which was meant."""
    try:
        text.encode("cp1252").decode()
    except UnicodeError:
        return False
    return True


@pytest.mark.parametrize("text", ["Привет, как дела", "Γειά σου κόσμε", "日本語のテキスト", "zażółć gęślą jaźń"])
def test_other_scripts_read_in_the_wrong_encoding_are_found(text: str) -> None:
    assert len(notes("mojibake", text.encode().decode("latin-1"))) == 1


def test_mojibake_is_shown_with_the_right_text() -> None:
    assert notes("mojibake", "a cafÃ© in town") == ["input: “Ã©” is “é”"]
