"""Workbooks are read as tables; sheets are parts or more rows, and a sheet that is not read is named with its number of rows."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.data.workbooks import Sheets, ods, xlsx
from tests.unit.data.written_rows import read_bytes
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.notes import NotRead
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.reading_limits import MIB

WRITERS: list[tuple[str, Callable[[Sheets], bytes]]] = [("rows.xlsx", xlsx), ("rows.ods", ods)]
HEADER: list[str | float | None] = ["input", "output", "stars"]
each_format = pytest.mark.parametrize(("name", "write"), WRITERS)


@each_format
def test_a_workbook_is_read_with_the_numbers_of_its_rows(tmp_path: Path, name: str, write: Callable[[Sheets], bytes]) -> None:
    rows: list[list[str | float | None]] = [[None], HEADER, ["A & b\nc", "x", 4.0], [None, None, None], ["D", 3.0, 4.5]]
    loaded = read_bytes(tmp_path / name, write({"Sheet1": rows}))
    assert [(e.input, e.output, e.source.line, dict(e.metadata)) for e in loaded.examples] == [
        ("A & b\nc", "x", 3, {"stars": 4}),
        ("D", "3", 5, {"stars": 4.5}),
    ]


@each_format
def test_sheets_are_parts_by_name_and_other_columns_are_named_as_not_read(
    tmp_path: Path, name: str, write: Callable[[Sheets], bytes]
) -> None:
    sheets: Sheets = {
        "train": [HEADER, ["A", "x", 1.0], ["B", "y", 2.0]],
        "test": [HEADER, ["C", "x", 3.0]],
        "people": [["name"], ["Ann"], ["Bob"]],
    }
    loaded = read_bytes(tmp_path / name, write(sheets))
    assert [(note.what, note.rows) for note, _ in loaded.notes.of(NotRead)] == [("the sheet `people`, which has other columns", 2)]
    examples, held_out = loaded.apart()
    assert [e.input for e in examples.examples] == ["A", "B"] and held_out and [e.input for e in held_out.examples] == ["C"]
    assert list(loaded.parts.values()) == [Part.EVAL] and len({e.source for e in loaded.examples}) == 3


def test_a_compressed_workbook_is_read(tmp_path: Path) -> None:
    loaded = read_bytes(tmp_path / "rows.xlsx.gz", gzip.compress(xlsx({"a": [HEADER, ["A", "x", 1.0]]})))
    assert [e.input for e in loaded.examples] == ["A"]


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"input,output\na,b\n", xlsx({"a": [HEADER]})[:-40]], ids=["empty", "two bytes", "text", "cut off"]
)
def test_what_is_no_workbook_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataRefused, match=r"rows\.xlsx"):
        read_bytes(tmp_path / "rows.xlsx", content)


def test_a_workbook_that_grows_to_fill_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"rows\.xlsx: the file grows from .* --allow-large"):
        read_bytes(tmp_path / "rows.xlsx", xlsx({"a": [HEADER, ["x" * 17 * MIB, "y", 1.0]]}))


@each_format
def test_a_cover_sheet_with_a_title_alone_does_not_hide_the_rows(tmp_path: Path, name: str, write: Callable[[Sheets], bytes]) -> None:
    loaded = read_bytes(tmp_path / name, write({"cover": [["Tickets 2024"]], "rows": [HEADER, ["A", "x", 1.0]]}))
    assert [e.input for e in loaded.examples] == ["A"]
