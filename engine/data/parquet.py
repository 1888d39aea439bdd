"""Parquet to raw rows: a few rows at a time, with values that JSON has."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tuneproof.engine.data.binary_text import BinaryText
from tuneproof.engine.data.column_names import distinct_names, renamed
from tuneproof.engine.data.problems import UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES, ReadingLimits

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import FileMetaData, ParquetFile

TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB")

BATCH_ROWS = 1024
FEW_ROWS = 16
"""Rows of a batch whose encoding says nothing about their size."""

SLICE_BYTES = 64 * MIB
"""Decoded bytes of rows that are turned into values at once."""

LEAST_ROW_BYTES = 8
"""What a row decodes to at least: a file may say that it has billions of rows in a few bytes."""

MOST_SHOWN_BYTES = 1024
"""Bytes of a binary value that is kept as base64; of a longer one, only its digest and size."""


def parquet_rows(source: Path | bytes, file: str, file_bytes: int, limits: ReadingLimits) -> RawRows:
    """The rows of a Parquet file, from its path or its content.

    `file` and `file_bytes` are its name and its size on disk. Raises OSError if it is not Parquet, and DataRefused if its rows grow beyond
    the limits.
    """
    import pyarrow

    try:
        parquet = _opened(source, file, file_bytes, limits)
        names = distinct_names(parquet.schema_arrow.names)
        notes = renamed(parquet.schema_arrow.names, names)
        number, decoded = 0, 0
        for batch in _batches(parquet):
            # A row decodes to at most the batch, whose repeated values are stored once.
            step = max(1, min(len(batch), SLICE_BYTES // max(1, batch.nbytes)))
            for start in range(0, len(batch), step):
                for row in _rows(batch.slice(start, step).rename_columns(names)):
                    number += 1
                    if isinstance(row, UnreadableRow):
                        yield InvalidRow(number, row)
                        continue
                    length = text_bytes(row)
                    decoded += length + LEAST_ROW_BYTES
                    limits.take(file, text_bytes=length)
                    yield RawRow(number, row, notes if number == 1 else ()) if length <= MOST_ROW_BYTES else InvalidRow(number, TOO_LONG)
                limits.require_ratio(file, file_bytes, decoded)
    except (pyarrow.ArrowException, OverflowError, ValueError) as error:
        raise OSError(f"not Parquet: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}") from None


def _rows(rows: RecordBatch) -> Iterator[dict[str, Any] | UnreadableRow]:
    """The rows as plain values; one with a value that Python cannot have, such as a date in the year 20,000, costs only itself."""
    try:
        yield from [plain(row) for row in rows.to_pylist()]
    except (ArithmeticError, ValueError, LookupError) as error:
        if len(rows) == 1:
            yield UnreadableRow(f"a value cannot be read: {str(error)[:200]}")
            return
        for at in range(len(rows)):
            yield from _rows(rows.slice(at, 1))


def _opened(source: Path | bytes, file: str, file_bytes: int, limits: ReadingLimits) -> ParquetFile:
    import pyarrow
    from pyarrow import parquet

    content = pyarrow.BufferReader(source) if isinstance(source, bytes) else pyarrow.memory_map(str(source))
    metadata = parquet.read_metadata(content)
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    decoded = sum(group.total_byte_size for group in groups) + metadata.num_rows * LEAST_ROW_BYTES
    limits.require_ratio(file, file_bytes, decoded)
    limits.require_room(file, text_bytes=0, rows=metadata.num_rows)
    # Repeated values stay stored once, so that a batch is not larger than its encoding.
    columns = [metadata.schema.column(at) for at in range(len(metadata.schema))]
    prefixed = _prefixed_columns(metadata)
    repeated = [each.path for each in columns if each.physical_type == "BYTE_ARRAY" and each.path not in prefixed]
    content.seek(0)
    return parquet.ParquetFile(content, read_dictionary=repeated)


def _batches(file: ParquetFile) -> Iterator[Any]:
    yield from file.iter_batches(FEW_ROWS if _prefixed_columns(file.metadata) else BATCH_ROWS, use_threads=False)


def _prefixed_columns(metadata: FileMetaData) -> set[str]:
    """Columns whose values are stored as their difference to the value before, so that a short encoding can have long values."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    columns = [group.column(at) for group in groups for at in range(group.num_columns)]
    return {column.path_in_schema for column in columns if "DELTA_BYTE_ARRAY" in column.encodings}


def plain(value: Any) -> Any:
    """A value of Arrow as JSON has it: dates and times in ISO 8601, decimals with all their digits, maps as objects.

    A number that is infinite or not a number is null, as data frames write a missing one. Bytes that are UTF-8 are text, others
    base64 or, if there are many, their digest.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    return str(value)


def _text_of(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return text
    if len(content) <= MOST_SHOWN_BYTES:
        return BinaryText(f"base64:{base64.b64encode(content).decode()}")
    return BinaryText(f"sha256:{hashlib.sha256(content).hexdigest()} of {len(content)} bytes")


def text_bytes(value: Any) -> int:
    """About how many bytes a plain value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(text_bytes, value.values()))
    return sum(map(text_bytes, value)) if isinstance(value, list) else 8
