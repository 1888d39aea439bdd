"""A row is shown from its file as it was read, in every format, and as nothing if it is not there any more."""

from __future__ import annotations

import csv
import gzip
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.row_files import ROWS, encoded, packed, rows_of, table_of
from tuneproof.engine.data.source_rows import source_row_text


@pytest.mark.parametrize("ending", [e + p for e in (".jsonl", ".json", ".csv", ".tsv", ".parquet") for p in ("", ".gz", ".zst")])
def test_a_row_that_is_shown_is_the_row_that_was_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows.v2{ending}"
    path.write_bytes(packed(encoded(ending), ending))
    rows = rows_of(path)
    assert [list(row.value.values()) for row in rows] == [list(row.values()) for row in ROWS]
    assert [json.loads(source_row_text(path, row.line)) for row in rows] == [row.value for row in rows]
    assert source_row_text(path, 999) == "", "there is no such row"


cell = st.lists(st.sampled_from(["a", "é", '"', ",", " ", "\n", "\r\n"]), max_size=5).map("".join)


@settings(max_examples=60)
@given(header=st.lists(cell, min_size=2, max_size=2, unique=True), rows=st.lists(st.lists(cell, min_size=2, max_size=2), max_size=5))
def test_a_row_of_a_table_is_found_whatever_the_rows_before_it_contain(header: list[str], rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes(table_of(header, rows))
        assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == [row.value for row in rows_of(path)]


def test_a_row_that_is_not_there_any_more_is_shown_as_nothing(tmp_path: Path) -> None:
    assert source_row_text(tmp_path / "gone.jsonl", 1) == source_row_text(tmp_path / "gone.csv.gz", 1) == ""
    path = tmp_path / "long.jsonl"
    path.write_text("x" * 100_000 + "\n")
    assert source_row_text(path, 1) == "x" * 20_000


@pytest.mark.parametrize("ending", [".parquet", ".json", ".jsonl.zst"])
def test_a_row_of_any_format_that_is_not_there_any_more_is_shown_as_nothing(tmp_path: Path, ending: str) -> None:
    assert source_row_text(tmp_path / f"gone{ending}", 1) == ""


def test_a_file_that_is_now_too_short_shows_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"input": "a"}\n' * 1000)[:-20])
    assert source_row_text(path, 999) == ""


def test_a_cell_of_any_length_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(table_of(["input", "output"], [["q", "x" * 200_000]]))
    before = csv.field_size_limit(131_072)
    try:
        assert source_row_text(path, 2).startswith('{"input": "q", "output": "xxx')
    finally:
        csv.field_size_limit(before)


def test_a_table_whose_lines_end_as_on_an_old_mac_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"input,output\rq,a\rr,b\r")
    assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == [row.value for row in rows_of(path)] != []


def test_a_dot_in_the_name_does_not_make_lines_a_table(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.jsonl"
    path.write_bytes(encoded(".jsonl"))
    assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == ROWS


def test_each_row_of_an_array_on_one_line_is_found(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    assert len({row.line for row in rows_of(path)}) == len(ROWS)
    assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == ROWS
