"""Tables are read as people and spreadsheets write them; a stray quotation mark costs one row, and lost lines are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.data.written_rows import read_bytes
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.notes import RenamedColumns, SwallowedLines
from tuneproof.engine.data.problems import NotUtf8Row, UnreadableRow
from tuneproof.engine.data.readers import LoadedExamples

MANY = "".join(f"ask {at} about it,billing\n" for at in range(20))

WIDE = "".join(f"{cells}{',' * 16_000}\n" for cells in ("input,output", '"Hello, you",x', '"1,5 EUR, please",y'))


def table(tmp_path: Path, text: str | bytes, name: str = "rows.csv") -> LoadedExamples:
    return read_bytes(tmp_path / name, text if isinstance(text, bytes) else text.encode())


def lines_lost(loaded: LoadedExamples) -> list[tuple[int, int]]:
    """The first line and the number of lines of each problem."""
    return [(source.line, problem.lines) for source, problem in loaded.problems if isinstance(problem, UnreadableRow)]


@pytest.mark.parametrize(
    ("middle", "lost", "read"),
    [
        ('"Odd" one said Bob,x\n', [(22, 1)], 40),
        ('"never closed,x\n', [(22, 1)], 40),
        ('"never closed,x\nplain,y\n"C, c",z\n', [(22, 1)], 42),
        ('"he "said" it,x\nplain,y\n', [(22, 1)], 41),
        ('"over two\nlines "with" marks, yes\nand so on",x\n', [(22, 3)], 40),
        ('"over two\n\nlines "with" marks",x\n', [(22, 3)], 40),
        ("ask,x,y\n", [(22, 1)], 40),
    ],
)
def test_a_stray_quotation_mark_costs_only_its_row_and_its_lines_are_counted(
    tmp_path: Path, middle: str, lost: list[tuple[int, int]], read: int
) -> None:
    loaded = table(tmp_path, "input,output\n" + MANY + middle + MANY)
    assert (lines_lost(loaded), len(loaded.examples)) == (lost, read)
    assert {e.output for e in loaded.examples} <= {"billing", "y", "z"}


def test_a_quotation_mark_that_is_never_closed_in_the_last_line_costs_that_line(tmp_path: Path) -> None:
    loaded = table(tmp_path, "input,output\n" + MANY + '"last,x')
    assert (lines_lost(loaded), len(loaded.examples)) == ([(22, 1)], 20)


def test_a_quoted_cell_that_may_have_swallowed_rows_is_reported(tmp_path: Path) -> None:
    loaded = table(tmp_path, 'input,output\n"first,x\n' + MANY + 'last",y\n')
    assert [list(map(str, rows)) for _, rows in loaded.notes.of(SwallowedLines)] == [["rows.csv:2"]]
    letter = table(tmp_path, 'input,output\n"Dear Sir,\n\nthank you, and\nbye.\n",y\n' + MANY)
    assert len(letter.examples) == 21 and not letter.notes.rows


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "input;output\nHello, you;x\n1,5 EUR, please;y\n"),
        ("rows.csv", "\ufeffsep=;\r\ninput;output\r\nHello, you;x\r\n1,5 EUR, please;y\r\n"),
        ("rows.csv", '"sep=\t"\ninput\toutput\nHello, you\tx\n1,5 EUR, please\ty\n'),
        ("rows.csv", "input\toutput\nHello, you\tx\n1,5 EUR, please\ty\n"),
        ("rows.csv", "input|output\nHello, you|x\n1,5 EUR, please|y\n"),
        ("rows.tsv", 'input,output\n"Hello, you",x\n"1,5 EUR, please",y\n'),
        ("rows.csv", 'input,output\r"Hello, you",x\r"1,5 EUR, please",y\r'),
        ("rows.csv", 'input,output,,\n"Hello, you",x,,\n"1,5 EUR, please",y,,,,,\n'),
        ("rows.csv", WIDE),
    ],
)
def test_the_cells_of_a_table_are_found_whatever_separates_them(tmp_path: Path, name: str, text: str) -> None:
    loaded = table(tmp_path, text, name)
    assert [(e.input, e.output, dict(e.metadata)) for e in loaded.examples] == [("Hello, you", "x", {}), ("1,5 EUR, please", "y", {})]


def test_quotation_marks_inside_cells_are_kept(tmp_path: Path) -> None:
    loaded = table(tmp_path, 'input,output\n"He said ""no"", then left",x\n5" pipe,y\na "so-called" fix,z\n')
    assert [e.input for e in loaded.examples] == ['He said "no", then left', '5" pipe', 'a "so-called" fix']


def test_columns_without_a_name_and_of_one_name_lose_nothing(tmp_path: Path) -> None:
    loaded = table(tmp_path, ",note,input,note,output,\n0,a,A,b,x,\n1,c,C,d,y,more\n")
    kept = [dict(e.metadata) for e in loaded.examples]
    assert kept == [{"column 1": "0", "note 1": "a", "note 2": "b"}, {"column 1": "1", "note 1": "c", "note 2": "d", "column 6": "more"}]
    ((note, rows),) = loaded.notes.of(RenamedColumns)
    assert note.new_names == ("note 1", "note 2") and len(rows) == 1


@pytest.mark.parametrize(
    ("encoding", "name", "text"),
    [
        ("cp1252", "Windows-1252", "Die Lieferung für die Tür ist beschädigt, ich möchte sie zurückgeben"),
        ("cp1251", "Windows-1251", "Мой заказ не пришёл вовремя"),
        ("shift_jis", "Shift-JIS", "注文した商品がまだ届いていません"),
    ],
)
def test_the_encoding_of_a_whole_file_is_named_and_nothing_is_converted(tmp_path: Path, encoding: str, name: str, text: str) -> None:
    loaded = table(tmp_path, f"input;output\nplain;x\n{text};y\n{text};z\n".encode(encoding))
    assert [e.input for e in loaded.examples] == ["plain"]
    assert [problem.encoding for _, problem in loaded.problems if isinstance(problem, NotUtf8Row)] == [name, name]
    assert all(f"the file is probably {name}" in str(problem) for _, problem in loaded.problems)


def test_a_header_that_cannot_be_read_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="the header is not a table row: a quotation mark is opened and never closed"):
        table(tmp_path, '"input,output\n' + MANY)
