"""CSV and TSV to raw rows. A bad cell, a stray quotation mark, or a line without end costs only its row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from tuneproof.engine.data.column_names import Header
from tuneproof.engine.data.delimiters import delimiter_of, stated_delimiter
from tuneproof.engine.data.encodings import first_invalid_in_text, has_invalid_bytes
from tuneproof.engine.data.notes import SwallowedLines
from tuneproof.engine.data.problems import NotUtf8Row, RowProblem, UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES
from tuneproof.engine.data.table_lines import MARK, RowForm, TableLines

TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB; perhaps a quotation mark or a line break is missing")

FIRST_LINES, FIRST_CHARACTERS = 50, MIB
"""What decides the delimiter."""

LINES_TO_GO_ON = 3
"""Lines one after the other that are rows of their own, after which a broken row is taken to have ended before them."""


def table_reader(usual_delimiter: str) -> Callable[[io.BufferedReader], RawRows]:
    """The reader of tables whose first row is the header, and whose cells are usually separated by this character."""

    def read(content: io.BufferedReader) -> RawRows:
        # Invalid bytes become lone surrogates, so that a bad cell costs its row and not the whole file.
        lines = TableLines(io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline=""))
        csv.field_size_limit(MOST_ROW_BYTES)
        first = lines.first(FIRST_LINES, FIRST_CHARACTERS)
        stated = stated_delimiter(first[0]) if first else None
        if stated:
            next(lines)
        yield from _Table(lines, stated or delimiter_of(first, usual_delimiter)).rows()

    return read


class _Table:
    """A table whose delimiter is known."""

    def __init__(self, lines: TableLines, delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self._width = 0
        """Cells of the header."""
        self._form = RowForm(delimiter, 0)
        self._has_rows = False

    def rows(self) -> RawRows:
        """Every row after the header, and what could not be read in the place where it is."""
        header: Header | None = None
        while True:
            self._lines.begin()
            line = self._lines.number + 1
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                if header is None:
                    yield InvalidRow(line, UnreadableRow(f"the header is not a table row: {_reason(error)}"))
                    return
                yield InvalidRow(line, self._go_on(line, error))
                continue
            if cells is None:
                return
            if header is None:
                header = Header.of([_column_name(cell) for cell in cells])
                self._width = len(header.names)
                self._form = RowForm(self._delimiter, self._width)
                if (problem := _problem(header.names, cells)) is not None:
                    yield InvalidRow(line, problem)
                if problem is TOO_LONG:
                    return
            elif cells:
                yield self._row(line, header, cells)

    def _row(self, line: int, header: Header, cells: list[str]) -> RawRow | InvalidRow:
        if any(MARK in cell for cell in cells) or sum(map(len, cells)) > MOST_ROW_BYTES:
            return InvalidRow(line, TOO_LONG)
        if len(cells) > self._width and not any(cells[self._width :]):
            cells = cells[: self._width]
        if len(cells) != self._width:
            return InvalidRow(line, UnreadableRow(self._wrong_width(header, cells)))
        problem = _problem(header.names, cells)
        if problem is not None:
            return InvalidRow(line, problem)
        inner = self._lines.record[1:-1]
        swallowed = (SwallowedLines(),) if len(inner) >= LINES_TO_GO_ON and all(map(self._form.is_row, inner)) else ()
        notes = (*swallowed, *(() if self._has_rows else header.notes))
        self._has_rows = True
        return RawRow(line, header.row(cells), notes)

    def _wrong_width(self, header: Header, cells: Sequence[str]) -> str:
        message = f"{len(cells)} cells, but the header has {self._width}"
        if len(cells) > self._width:
            name = {"\t": "a tab"}.get(self._delimiter, f"`{self._delimiter}`")
            return f"{message}: put a cell that has {name} in it between quotation marks"
        return message

    def _go_on(self, line: int, error: csv.Error) -> RowProblem:
        """Finds the line where the next row begins, so that reading goes on there, and says what is not read."""
        record, endless = self._lines.record, self._lines.is_endless
        count = self._next_row(record)
        if count is None:
            count = len(record) + self._skip_to_row()
        else:
            self._lines.take_back(len(record) - count)
        reason = f"a quoted cell goes on for more than {MOST_ROW_BYTES // MIB} MiB" if endless else f"not a table row: {_reason(error)}"
        not_read = f"; lines {line:,} to {line + count - 1:,} are not read" if count > 1 else ""
        return UnreadableRow(reason + not_read, lines=count)

    def _next_row(self, record: list[str]) -> int | None:
        """The first line after the one where a broken row begins from which on each is a row of its own; None if there is none.

        The last line, in which the error was seen, may also begin a row, or be the end of the broken one.
        """
        last = len(record) - 1
        begins = last > 0 and self._form.may_begin(record[last])
        for at in range(1, last + begins):
            if all(map(self._form.is_row, record[at : min(at + LINES_TO_GO_ON, last)])):
                return at
        return None

    def _skip_to_row(self) -> int:
        """Skips lines up to one that may begin a row, and returns how many."""
        skipped = 0
        self._lines.begin()
        for line in self._lines:
            if self._form.may_begin(line):
                self._lines.take_back(1)
                break
            skipped += 1
            self._lines.begin()
        return skipped


def _problem(names: Sequence[str], cells: Sequence[str]) -> RowProblem | None:
    """The problem of the first cell that is too long, or has bytes that are not UTF-8."""
    for name, cell in zip(names, cells, strict=True):
        if MARK in cell:
            return TOO_LONG
        if has_invalid_bytes(cell) and (found := first_invalid_in_text(cell)) is not None:
            return NotUtf8Row.of(found, f"of the cell `{name}`")
    return None


def _column_name(cell: str) -> str:
    """The name of a column, with invalid bytes as \\xe9, so that the column can be used."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _reason(error: csv.Error) -> str:
    """What the csv module says, with what it means."""
    reason = str(error)
    if "unexpected end of data" in reason:
        return "a quotation mark is opened and never closed"
    if "expected after" in reason:
        return f"{reason}; a quotation mark inside a cell has to be written twice, and the cell between two more"
    return reason
