"""Batches of Arrow to raw rows: a few rows at a time, with values that JSON has and labels by their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tuneproof.engine.data.arrow_values import plain_row, text_bytes
from tuneproof.engine.data.class_names import namings_of_schema
from tuneproof.engine.data.column_names import distinct_names, renamed
from tuneproof.engine.data.problems import UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES, ReadingLimits

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB")

SLICE_BYTES = 64 * MIB
"""Decoded bytes of rows that are turned into values at once."""

LEAST_ROW_BYTES = 8
"""What a row decodes to at least: a file may say that it has billions of rows in a few bytes."""

MOST_WHOLE = 2**53
"""Integers below this are the same as floating-point numbers."""


class ArrowTable:
    """The columns of a table of which batches are read."""

    def __init__(self, schema: Schema) -> None:
        self.names = distinct_names(schema.names)
        self._notes = renamed(schema.names, self.names)
        self._namings = namings_of_schema(schema.metadata)
        self._whole: Collection[str] = ()

    @staticmethod
    def float_columns(schema: Schema) -> list[str]:
        """The names of the columns with floating-point numbers, in which data frames also keep integers if one is missing."""
        from pyarrow import types

        return [field.name for field in schema if types.is_floating(field.type) and schema.names.count(field.name) == 1]

    def settle_numbers(self, names: list[str], batches: Iterable[RecordBatch]) -> None:
        """Finds the columns of floating-point numbers that are integers in every row; they are read as integers."""
        whole = set(names)
        for batch in batches if names else ():
            whole -= {name for name in whole if not _is_whole(batch.column(name))}
            if not whole:
                break
        self._whole = whole

    def rows(self, batches: Iterable[RecordBatch], file: str, file_bytes: int, limits: ReadingLimits) -> RawRows:
        """The rows of all batches, numbered from 1. Raises DataRefused if they grow beyond the limits."""
        number, decoded = 0, 0
        for batch in batches:
            # A row decodes to at most the batch, whose repeated values are stored once.
            step = max(1, min(len(batch), SLICE_BYTES // max(1, batch.nbytes)))
            for start in range(0, len(batch), step):
                for row in self._values(batch.slice(start, step).rename_columns(self.names)):
                    number += 1
                    if isinstance(row, UnreadableRow):
                        yield InvalidRow(number, row)
                        continue
                    length = text_bytes(row)
                    decoded += length + LEAST_ROW_BYTES
                    limits.take(file, text_bytes=length)
                    if length > MOST_ROW_BYTES:
                        yield InvalidRow(number, TOO_LONG)
                        continue
                    yield RawRow(number, row, self._notes)
                    self._notes = ()
                limits.require_ratio(file, file_bytes, decoded)

    def _values(self, rows: RecordBatch) -> Iterator[dict[str, Any] | UnreadableRow]:
        """The rows as plain values; one with a value that Python cannot have, such as a date in the year 20,000, costs only itself."""
        try:
            yield from [self._row(row) for row in rows.to_pylist()]
        except (ArithmeticError, ValueError, LookupError) as error:
            if len(rows) == 1:
                yield UnreadableRow(f"a value cannot be read: {str(error)[:200]}")
                return
            for at in range(len(rows)):
                yield from self._values(rows.slice(at, 1))

    def _row(self, values: dict[str, Any]) -> dict[str, Any]:
        row = plain_row(values)
        for name, naming in self._namings.items():
            if name in row:
                row[name] = naming(row[name])
        for name in self._whole:
            if row[name] is not None:
                row[name] = int(row[name])
        return row


def _is_whole(column: Any) -> bool:
    """Whether every number of a column is an integer, those that are missing aside."""
    from pyarrow import compute

    # Few functions of Arrow take floating-point numbers of 16 bits.
    numbers = compute.drop_null(column).cast("float64")
    numbers = compute.filter(numbers, compute.invert(compute.is_nan(numbers)))
    fits = compute.and_(compute.equal(compute.floor(numbers), numbers), compute.less(compute.abs(numbers), MOST_WHOLE))
    return bool(compute.all(fits, min_count=0).as_py())
