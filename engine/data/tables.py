"""CSV and TSV to raw rows. A bad cell, or a line without end, costs only its row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from tuneproof.engine.data.encodings import first_invalid_in_text, has_invalid_bytes
from tuneproof.engine.data.problems import NotUtf8Row, RowProblem, UnreadableRow, repeated_name, two_columns
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES

TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB; perhaps a quotation mark or a line break is missing")

ENDLESS = UnreadableRow(f"a quoted cell goes on for more than {MOST_ROW_BYTES // MIB} MiB; what follows cannot be read")

_MARK = "\0the rest of this line was too long\0"
"""Stands for the rest of a line that is too long to be held."""


def table_reader(delimiter: str) -> Callable[[io.BufferedReader], RawRows]:
    """The reader of tables whose cells are separated by this character; the first row is the header."""

    def read(content: io.BufferedReader) -> RawRows:
        # Invalid bytes become lone surrogates, so that a bad cell costs its row and not the whole file.
        lines = _Lines(io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline=""))
        csv.field_size_limit(MOST_ROW_BYTES)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        while True:
            line, begun = lines.number + 1, lines.characters
            try:
                cells = next(reader, None)
            except csv.Error as error:
                endless = lines.characters - begun > MOST_ROW_BYTES
                yield InvalidRow(line, ENDLESS if endless else UnreadableRow(f"not a table row: {error}"))
                if header is None or endless:
                    return
                continue
            if cells is None:
                return
            if header is None:
                header = [_column_name(cell) for cell in cells]
                if (problem := _problem(header, cells)) is not None:
                    yield InvalidRow(line, problem)
                if problem is TOO_LONG:
                    return
                if (name := repeated_name(header)) is not None:
                    yield InvalidRow(line, two_columns(name))
                    return
            elif cells:
                yield _table_row(line, header, cells)

    return read


class _Lines(Iterator[str]):
    """The lines of a text, with a mark in place of what no row can hold. A quoted cell may go over several lines."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0
        """Lines that have been read."""
        self.characters = 0
        """Characters of them."""
        self._in_quotes = False

    def __next__(self) -> str:
        line = self._text.readline(MOST_ROW_BYTES)
        if not line:
            raise StopIteration
        self.number += 1
        self.characters += len(line)
        if len(line) == MOST_ROW_BYTES and not line.endswith("\n"):
            return self._mark(line)
        self._count_quotes(line)
        return line

    def _mark(self, line: str) -> str:
        """Skips the rest of the line, and the lines after it up to the end of a quoted cell that begins in it."""
        began_in_quotes = self._in_quotes
        while True:
            while line and not line.endswith("\n"):
                self._count_quotes(line)
                line = self._text.readline(MIB)
            self._count_quotes(line)
            if began_in_quotes or not self._in_quotes or not line:
                break
            line = self._text.readline(MIB)
            self.number += bool(line)
        return _MARK + ('"' if began_in_quotes and not self._in_quotes else "") + "\n"

    def _count_quotes(self, line: str) -> None:
        self._in_quotes ^= bool(line.count('"') % 2)


def _table_row(line: int, header: list[str], cells: list[str]) -> RawRow | InvalidRow:
    if any(_MARK in cell for cell in cells) or sum(map(len, cells)) > MOST_ROW_BYTES:
        return InvalidRow(line, TOO_LONG)
    if len(cells) != len(header):
        return InvalidRow(line, UnreadableRow(f"{len(cells)} cells, but the header has {len(header)}"))
    problem = _problem(header, cells)
    return RawRow(line, dict(zip(header, cells, strict=True))) if problem is None else InvalidRow(line, problem)


def _problem(header: list[str], cells: list[str]) -> RowProblem | None:
    """The problem of the first cell that is too long, or has bytes that are not UTF-8."""
    for name, cell in zip(header, cells, strict=True):
        if _MARK in cell:
            return TOO_LONG
        if has_invalid_bytes(cell) and (found := first_invalid_in_text(cell)) is not None:
            return NotUtf8Row.of(found, f"of the cell `{name}`")
    return None


def _column_name(cell: str) -> str:
    """The name of a column, with invalid bytes as \\xe9, so that the column can be used."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
