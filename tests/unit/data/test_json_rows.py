"""JSON arrays are read row by row: a row that is broken or has invalid bytes costs only itself, and has its own place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.data.written_rows import PIZZA_CESU_8, array, read_bytes, within_an_object
from tuneproof.engine.data.problems import NotUtf8Row
from tuneproof.engine.data.readers import read_examples


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("encode", [array, within_an_object])
def test_a_position_in_an_array_counts_from_the_start_of_the_file(
    tmp_path: Path, encode: Callable[[list[bytes]], bytes], mark: bytes
) -> None:
    content = mark + encode(["Grüße".encode(), b"a " + PIZZA_CESU_8, "Zoë".encode(), b"\xff", b"c"])
    loaded = read_bytes(tmp_path / "rows.json", content)
    messages = [str(problem) for _, problem in loaded.problems]
    positions = [content.index(PIZZA_CESU_8) + 1, content.index(b"\xff") + 1]
    assert [message.split(" of the file")[0] for message in messages] == [f"not UTF-8 at byte {position}" for position in positions]


def test_rows_of_an_array_on_one_line_are_numbered(tmp_path: Path) -> None:
    loaded = read_bytes(tmp_path / "rows.json", array([b"a", b"\xff", b"b"]).replace(b"\n", b""))
    assert [e.source.line for e in loaded.examples] == [1, 3] and [s.line for s, _ in loaded.problems] == [2]


def test_an_invalid_byte_outside_a_string_ends_the_array_and_is_named(tmp_path: Path) -> None:
    loaded = read_bytes(tmp_path / "rows.json", array([b"a"])[:-1] + b', \xff{"input": "b", "output": "b"}]')
    ((_, problem),) = loaded.problems
    assert isinstance(problem, NotUtf8Row) and "FF is" in str(problem) and "the rest of the array cannot be read" in str(problem)


def test_a_broken_array_gives_the_rows_before_the_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[\n {"input": "a", "output": "b"},\n {"input": "c", "output": \n]')
    loaded = read_examples(str(path))
    assert [(e.input, e.source.line) for e in loaded.examples] == [("a", 2)]
    assert [source.line for source, _ in loaded.problems] == [3]
