"""Bytes that are not UTF-8 are named after what they look like."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.written_rows import PIZZA_CESU_8
from tuneproof.engine.data.encodings import InvalidBytesKind, first_invalid, utf16_or_utf32

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ASTRAL = st.characters(min_codepoint=0x10000)


def cesu_8(character: str) -> bytes:
    halves = character.encode("utf-16-be")
    return b"".join(halves[at : at + 2].decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass") for at in (0, 2))


@pytest.mark.parametrize(
    ("content", "kind", "found", "meaning"),
    [
        (PIZZA_CESU_8, InvalidBytesKind.CESU_8, PIZZA_CESU_8, "U+1F355 as two surrogates"),
        (b"\xed\xa0\xbcx", InvalidBytesKind.SURROGATE, b"\xed\xa0\xbc", "U+D83C"),
        (b"\xed\xbd\x95" + PIZZA_CESU_8, InvalidBytesKind.SURROGATE, b"\xed\xbd\x95", "U+DF55"),
        (b"\xed\xa0\xbc\xed\xa0\xbc", InvalidBytesKind.SURROGATE, b"\xed\xa0\xbc", "U+D83C"),
        (b"\xc0\x80x", InvalidBytesKind.OVERLONG, b"\xc0\x80", "U+0000"),
        (b"\xe0\x80\xafx", InvalidBytesKind.OVERLONG, b"\xe0\x80\xaf", "U+002F"),
        (b"\xf0\x82\x82\xac", InvalidBytesKind.OVERLONG, b"\xf0\x82\x82\xac", "U+20AC"),
        (b"\xf0\x9f\x8d.", InvalidBytesKind.CUT_OFF, b"\xf0\x9f\x8d", "3 of 4 bytes"),
        (b"\xe2", InvalidBytesKind.CUT_OFF, b"\xe2", "1 of 3 bytes, or â in Latin-1"),
        (b"\xe9t\xe9", InvalidBytesKind.SINGLE_BYTE, b"\xe9", "é"),
        (b"\xfcber", InvalidBytesKind.SINGLE_BYTE, b"\xfc", "ü"),
        (b"\xc0 la carte", InvalidBytesKind.SINGLE_BYTE, b"\xc0", "À"),
        (b"\x93so\x94", InvalidBytesKind.SINGLE_BYTE, b"\x93", "“"),
        (b"\x9f\x8d\x95", InvalidBytesKind.OTHER, b"\x9f\x8d\x95", ""),
        (b"\x81x", InvalidBytesKind.OTHER, b"\x81", ""),
        (b"\xf4\x90\x80\x80", InvalidBytesKind.OTHER, b"\xf4\x90\x80\x80", ""),
    ],
)
def test_each_kind_is_named_with_its_position_and_bytes(content: bytes, kind: InvalidBytesKind, found: bytes, meaning: str) -> None:
    invalid = first_invalid("Grüße ".encode() + content)
    assert invalid is not None and (invalid.kind, invalid.start, invalid.content, invalid.meaning) == (kind, 8, found, meaning)
    assert f"at byte 9 of the line: {found.hex(' ').upper()} is {kind}" in invalid.message("of the line")


@given(st.binary(max_size=40))
def test_invalid_bytes_are_found_exactly_where_a_decoder_stops(content: bytes) -> None:
    invalid = first_invalid(content)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        assert invalid is not None and invalid.start == error.start and content[invalid.start :].startswith(invalid.content)
        assert invalid.content
    else:
        assert invalid is None


@given(TEXT, ASTRAL, TEXT)
def test_any_character_in_cesu_8_is_named_with_its_code_point(before: str, character: str, after: str) -> None:
    invalid = first_invalid(before.encode() + cesu_8(character) + after.encode())
    assert invalid is not None and invalid.kind is InvalidBytesKind.CESU_8 and invalid.content == cesu_8(character)
    assert invalid.start == len(before.encode()) and invalid.meaning == f"U+{ord(character):04X} as two surrogates"


@given(TEXT, st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), st.integers(1, 3), st.sampled_from(["", "a", "é", "🍕"]))
def test_a_character_that_is_cut_off_is_named(before: str, character: str, cut: int, after: str) -> None:
    whole = character.encode()
    left = whole[: max(1, len(whole) - cut)]
    invalid = first_invalid(before.encode() + left + after.encode())
    assert invalid is not None and invalid.content == left
    assert invalid.kind is (InvalidBytesKind.SINGLE_BYTE if len(left) == 1 and after else InvalidBytesKind.CUT_OFF)


@given(TEXT, st.characters(min_codepoint=0xC0, max_codepoint=0xFF))
def test_a_letter_in_latin_1_is_named(before: str, letter: str) -> None:
    invalid = first_invalid(before.encode() + letter.encode("latin-1") + b"s")
    assert invalid is not None and (invalid.kind, invalid.meaning) == (InvalidBytesKind.SINGLE_BYTE, letter)


@given(TEXT)
def test_text_in_utf_8_is_never_taken_for_utf_16_or_32(text: str) -> None:
    assert utf16_or_utf32(json.dumps([text], ensure_ascii=False).encode()) == ""
