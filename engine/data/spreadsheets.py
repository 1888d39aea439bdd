"""XLSX, XLS, XLSB and ODS to raw rows: the sheets of a workbook, with the first row of each as its header."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneproof.engine.data.arrow_values import plain, text_bytes
from tuneproof.engine.data.column_names import Header
from tuneproof.engine.data.notes import NotRead, RowNote
from tuneproof.engine.data.parts import Part, parts_of
from tuneproof.engine.data.problems import UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES, ReadingLimits

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB")


def spreadsheet_rows(source: Path | bytes, file: str, file_bytes: int, limits: ReadingLimits) -> RawRows:
    """The rows of a workbook, from its path or its content: those of its first sheet that has rows, and of all with the same columns.

    Rows are numbered as in the sheet; those of a further sheet go on after the last row of the one before. Sheets called train,
    validation or test are these parts. A sheet with other columns is not read, which is noted at the first row.

    `file` and `file_bytes` are its name and its size on disk. Raises OSError if it is no workbook, and DataRefused if it grows beyond the
    limits.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    _require_limits(source, file, file_bytes, limits)
    try:
        with CalamineWorkbook.from_object(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as book:
            yield from _Workbook(book).rows(file, limits)
    except PasswordError:
        raise OSError("the workbook is protected by a password: save it without one") from None
    except (CalamineError, ValueError) as error:
        raise OSError(f"not a workbook: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}") from None


def _require_limits(source: Path | bytes, file: str, file_bytes: int, limits: ReadingLimits) -> None:
    """Raises DataRefused if the parts of a zipped workbook are larger than the limits allow."""
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as packed:
            size = sum(each.file_size for each in packed.infolist())
    except (zipfile.BadZipFile, ValueError):
        # An XLS is no zip file, and its size is that of its content.
        return
    limits.require_ratio(file, file_bytes, size)
    limits.require_room(file, text_bytes=size)


class _Workbook:
    """The sheets of a workbook that have rows below their first, which is their header."""

    def __init__(self, book: CalamineWorkbook) -> None:
        self._sheets: list[tuple[CalamineSheet, Header, int]] = []
        """Each with its header and the row of its header, from 1."""
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            cells, number = _first_row(sheet)
            if any(_cells(sheet, number)):
                self._sheets.append((sheet, Header.of(cells), number))

    def rows(self, file: str, limits: ReadingLimits) -> RawRows:
        """The rows of all sheets with the columns of the first."""
        if not self._sheets:
            return
        names = self._sheets[0][1].names
        parts = parts_of({sheet.name: [sheet.name] for sheet, header, _ in self._sheets if header.names == names})
        notes = (*self._sheets[0][1].notes, *self._not_read(parts))
        before = 0
        for sheet, header, first in self._sheets:
            if sheet.name not in parts:
                continue
            for number, cells in _cells(sheet, first):
                row = header.row(cells)
                limits.take(file, text_bytes=(length := text_bytes(row)))
                if length > MOST_ROW_BYTES:
                    yield InvalidRow(before + number, TOO_LONG)
                    continue
                part = parts[sheet.name]
                yield RawRow(before + number, row, notes, part if part is not Part.TRAIN else None)
                notes = ()
            before += sheet.total_height

    def _not_read(self, parts: dict[str, Part]) -> Iterator[RowNote]:
        for sheet, _, first in self._sheets:
            if sheet.name not in parts:
                yield NotRead(f"the sheet `{sheet.name[:60]}`, which has other columns", sum(1 for _ in _cells(sheet, first)))


def _first_row(sheet: CalamineSheet) -> tuple[list[str], int]:
    """The first row of a sheet with something in it, as text, and its number from 1; 0 if there is none."""
    for number, cells in _cells(sheet, 0):
        names = [str(cell) for cell in cells]
        while names and not names[-1].strip():
            names.pop()
        return names, number
    return [], 0


def _cells(sheet: CalamineSheet, after: int) -> Iterator[tuple[int, list[Any]]]:
    """The rows of a sheet after one that have something in them, with their numbers."""
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        if number > after and any(cell != "" for cell in cells):
            yield number, [_value(cell) for cell in cells]


def _value(cell: Any) -> Any:
    """A cell as JSON has it; a workbook has all numbers as floating-point numbers, also those that are integers."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return plain(cell)
