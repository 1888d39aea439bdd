"""What is not UTF-8 is named for what it is, costs the row in which it stands, and is never converted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.encodings import Form, first_bad, wide_encoding
from tuneproof.engine.data.problems import NotUtf8
from tuneproof.engine.data.readers import Reading, read_examples

PIZZA = b"\xed\xa0\xbc\xed\xbd\x95"
"""U+1F355 in CESU-8, as SNIPS was published."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ASTRAL = st.characters(min_codepoint=0x10000)


def cesu_8(character: str) -> bytes:
    halves = character.encode("utf-16-be")
    return b"".join(halves[at : at + 2].decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass") for at in (0, 2))


@pytest.mark.parametrize(
    ("content", "form", "found", "meant"),
    [
        (PIZZA, Form.CESU_8, PIZZA, "U+1F355 as two surrogates"),
        (b"\xed\xa0\xbcx", Form.SURROGATE, b"\xed\xa0\xbc", "U+D83C"),
        (b"\xed\xbd\x95" + PIZZA, Form.SURROGATE, b"\xed\xbd\x95", "U+DF55"),
        (b"\xed\xa0\xbc\xed\xa0\xbc", Form.SURROGATE, b"\xed\xa0\xbc", "U+D83C"),
        (b"\xc0\x80x", Form.OVERLONG, b"\xc0\x80", "U+0000"),
        (b"\xe0\x80\xafx", Form.OVERLONG, b"\xe0\x80\xaf", "U+002F"),
        (b"\xf0\x82\x82\xac", Form.OVERLONG, b"\xf0\x82\x82\xac", "U+20AC"),
        (b"\xf0\x9f\x8d.", Form.CUT_OFF, b"\xf0\x9f\x8d", "3 of 4 bytes"),
        (b"\xe2", Form.CUT_OFF, b"\xe2", "1 of 3 bytes, or â in Latin-1"),
        (b"\xe9t\xe9", Form.SINGLE_BYTE, b"\xe9", "é"),
        (b"\xfcber", Form.SINGLE_BYTE, b"\xfc", "ü"),
        (b"\xc0 la carte", Form.SINGLE_BYTE, b"\xc0", "À"),
        (b"\x93so\x94", Form.SINGLE_BYTE, b"\x93", "“"),
        (b"\x9f\x8d\x95", Form.OTHER, b"\x9f\x8d\x95", ""),
        (b"\x81x", Form.OTHER, b"\x81", ""),
        (b"\xf4\x90\x80\x80", Form.OTHER, b"\xf4\x90\x80\x80", ""),
    ],
)
def test_each_form_is_named_with_its_place_and_its_bytes(content: bytes, form: Form, found: bytes, meant: str) -> None:
    place = first_bad("Grüße ".encode() + content)
    assert place is not None and (place.form, place.start, place.content, place.meant) == (form, 8, found, meant)
    assert f"at byte 9 of the line: {found.hex(' ').upper()} is {form}" in place.told("of the line")


@given(st.binary(max_size=40))
def test_a_place_is_named_where_a_decoder_stops_and_nowhere_else(content: bytes) -> None:
    place = first_bad(content)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        assert place is not None and place.start == error.start and content[place.start :].startswith(place.content)
        assert place.content
    else:
        assert place is None


@given(TEXT, ASTRAL, TEXT)
def test_any_character_in_cesu_8_is_named_with_its_number(before: str, character: str, after: str) -> None:
    place = first_bad(before.encode() + cesu_8(character) + after.encode())
    assert place is not None and place.form is Form.CESU_8 and place.content == cesu_8(character)
    assert place.start == len(before.encode()) and place.meant == f"U+{ord(character):04X} as two surrogates"


@given(TEXT, st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), st.integers(1, 3), st.sampled_from(["", "a", "é", "🍕"]))
def test_a_character_that_is_cut_off_is_named(before: str, character: str, cut: int, after: str) -> None:
    whole = character.encode()
    left = whole[: max(1, len(whole) - cut)]
    place = first_bad(before.encode() + left + after.encode())
    assert place is not None and place.content == left
    assert place.form is (Form.SINGLE_BYTE if len(left) == 1 and after else Form.CUT_OFF)


@given(TEXT, st.characters(min_codepoint=0xC0, max_codepoint=0xFF))
def test_a_letter_in_latin_1_is_named_before_other_letters(before: str, letter: str) -> None:
    place = first_bad(before.encode() + letter.encode("latin-1") + b"s")
    assert place is not None and (place.form, place.meant) == (Form.SINGLE_BYTE, letter)


BAD = (PIZZA, b"\xed\xa0\xbc", b"\xc0\x80", b"\xf0\x9f\x8d", b"\xe9", b"\xff\xfe", b"\x80\x80")


def jsonl(cells: list[bytes]) -> bytes:
    return b"".join(b'{"input": "%d ' % at + cell + b'", "output": "b"}\n' for at, cell in enumerate(cells))


def array(cells: list[bytes]) -> bytes:
    return b"[\n" + b",\n".join(jsonl([cell]).strip().replace(b'"0 ', b'"%d ' % at) for at, cell in enumerate(cells)) + b"\n]"


def within_an_object(cells: list[bytes]) -> bytes:
    return b'{"version": {"a": [1]}, "rows": ' + array(cells) + b', "licence": "none"}'


def table(cells: list[bytes]) -> bytes:
    return b"input,output\n" + b"".join(b"%d " % at + cell + b",b\n" for at, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("ending", "encode", "first"), [(".jsonl", jsonl, 1), (".json", array, 2), (".json", within_an_object, 2), (".csv", table, 2)]
)
@given(cells=st.lists(st.one_of(st.sampled_from(BAD), st.sampled_from(["", "Zoë", "🍕"]).map(str.encode)), min_size=1, max_size=8))
def test_a_bad_place_costs_its_row_and_all_others_come(
    tmp_path_factory: pytest.TempPathFactory, ending: str, encode: Callable[[list[bytes]], bytes], first: int, cells: list[bytes]
) -> None:
    cells = [*cells, b"good"]
    path = tmp_path_factory.mktemp("rows") / f"rows{ending}"
    path.write_bytes(encode(cells))
    reading = read_examples(str(path))
    bad = [at for at, cell in enumerate(cells) if cell in BAD]
    assert [e.input for e in reading.examples] == [f"{at} {cell.decode()}" for at, cell in enumerate(cells) if at not in bad]
    assert [e.source.line for e in reading.examples] == [at + first for at in range(len(cells)) if at not in bad]
    assert [source.line for source, _ in reading.problems] == [at + first for at in bad]
    assert all(isinstance(problem, NotUtf8) for _, problem in reading.problems)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("encode", [array, within_an_object])
def test_a_place_in_an_array_is_that_of_the_file(tmp_path: Path, encode: Callable[[list[bytes]], bytes], mark: bytes) -> None:
    content = mark + encode(["Grüße".encode(), b"a " + PIZZA, "Zoë".encode(), b"\xff", b"c"])
    reading = read_bytes(tmp_path / "rows.json", content)
    told = [str(problem) for _, problem in reading.problems]
    places = [content.index(PIZZA) + 1, content.index(b"\xff") + 1]
    assert [t.split(" of the file")[0] for t in told] == [f"not UTF-8 at byte {place}" for place in places]


def test_an_array_that_stands_on_one_line_is_told_by_number(tmp_path: Path) -> None:
    reading = read_bytes(tmp_path / "rows.json", array([b"a", b"\xff", b"b"]).replace(b"\n", b""))
    assert [e.source.line for e in reading.examples] == [1, 3] and [s.line for s, _ in reading.problems] == [2]


def test_a_bad_byte_outside_of_a_text_ends_the_array_and_is_named(tmp_path: Path) -> None:
    reading = read_bytes(tmp_path / "rows.json", array([b"a"])[:-1] + b', \xff{"input": "b", "output": "b"}]')
    ((_, problem),) = reading.problems
    assert isinstance(problem, NotUtf8) and "FF is" in str(problem) and "the rest of the array cannot be read" in str(problem)


def test_a_bad_cell_is_named_with_its_column_and_a_bad_column_with_its_bytes(tmp_path: Path) -> None:
    reading = read_bytes(tmp_path / "rows.csv", b"input,output,Zo\xeb\na\xe9s,b,c\nd,e,f\n")
    assert [str(problem) for _, problem in reading.problems] == [
        r"not UTF-8 at byte 3 of the cell `Zo\xeb`: EB is a character that is cut off: 1 of 3 bytes, or ë in Latin-1",
        "not UTF-8 at byte 2 of the cell `input`: E9 is Latin-1 or Windows-1252 by its looks: é",
    ]
    assert [dict(e.metadata) for e in reading.examples] == [{r"Zo\xeb": "f"}]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_file_of_wide_characters_is_refused_with_what_to_do(tmp_path: Path, ending: str, encoding: str) -> None:
    content = table([b"a"]) if ending == ".csv" else array([b"a"]) if ending == ".json" else jsonl([b"a"])
    with pytest.raises(DataRefused, match=rf"rows{ending}: the file is {encoding[:6].upper()}, not UTF-8; save it as UTF-8"):
        read_bytes(tmp_path / f"rows{ending}", content.decode().encode(encoding))


@given(TEXT)
def test_text_in_utf_8_is_never_taken_for_wide(text: str) -> None:
    assert wide_encoding(json.dumps([text], ensure_ascii=False).encode()) == ""


def read_bytes(path: Path, content: bytes) -> Reading:
    path.write_bytes(content)
    return read_examples(str(path))
