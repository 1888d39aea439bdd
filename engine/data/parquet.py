"""Parquet to raw rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneproof.engine.data.arrow_rows import LEAST_ROW_BYTES, ArrowTable
from tuneproof.engine.data.raw import RawRows
from tuneproof.engine.data.reading_limits import ReadingLimits

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData, ParquetFile

BATCH_ROWS = 1024
FEW_ROWS = 16
"""Rows of a batch whose encoding says nothing about their size."""


def parquet_rows(source: Path | bytes, file: str, file_bytes: int, limits: ReadingLimits) -> RawRows:
    """The rows of a Parquet file, from its path or its content.

    `file` and `file_bytes` are its name and its size on disk. Raises OSError if it is not Parquet, and DataRefused if its rows grow beyond
    the limits.
    """
    import pyarrow

    try:
        parquet = _opened(source, file, file_bytes, limits)
        table = ArrowTable(parquet.schema_arrow)
        numbers = table.float_columns(parquet.schema_arrow)
        table.settle_numbers(numbers, parquet.iter_batches(BATCH_ROWS, columns=numbers, use_threads=False) if numbers else ())
        yield from table.rows(_batches(parquet), file, file_bytes, limits)
    except (pyarrow.ArrowException, OverflowError, ValueError) as error:
        raise OSError(f"not Parquet: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}") from None


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
