"""Arrow files (IPC: `.arrow`, `.feather`, `.ipc`) to raw rows, as a file with an index of its batches or as a stream of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuneproof.engine.data.arrow_rows import LEAST_ROW_BYTES, ArrowTable
from tuneproof.engine.data.raw import RawRows
from tuneproof.engine.data.reading_limits import ReadingLimits

MAGIC = b"ARROW1"
"""How a file with an index begins; `datasets` writes streams."""


def arrow_rows(source: Path | bytes, file: str, file_bytes: int, limits: ReadingLimits) -> RawRows:
    """The rows of an Arrow file, from its path or its content.

    `file` and `file_bytes` are its name and its size on disk. Raises OSError if it is not Arrow, and DataRefused if its rows grow beyond
    the limits.
    """
    import pyarrow

    try:
        schema, batches = _opened(source)
        table = ArrowTable(schema)
        numbers = table.float_columns(schema)
        table.settle_numbers(numbers, _within(batches, file, file_bytes, limits) if numbers else ())
        yield from table.rows(_within(_opened(source)[1], file, file_bytes, limits), file, file_bytes, limits)
    except (pyarrow.ArrowException, OverflowError, ValueError, EOFError) as error:
        raise OSError(f"not Arrow: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}") from None


def _opened(source: Path | bytes) -> tuple[Any, Iterator[Any]]:
    import pyarrow
    from pyarrow import ipc

    content = pyarrow.BufferReader(source) if isinstance(source, bytes) else pyarrow.memory_map(str(source))
    if content.read(len(MAGIC)) != MAGIC:
        content.seek(0)
        stream = ipc.open_stream(content)
        return stream.schema, iter(stream)
    content.seek(0)
    reader = ipc.open_file(content)
    return reader.schema, (reader.get_batch(at) for at in range(reader.num_record_batches))


def _within(batches: Iterator[Any], file: str, file_bytes: int, limits: ReadingLimits) -> Iterator[Any]:
    """The batches, whose buffers may be compressed, as long as they do not grow as no data do."""
    decoded = 0
    for batch in batches:
        decoded += batch.nbytes + len(batch) * LEAST_ROW_BYTES
        limits.require_ratio(file, file_bytes, decoded)
        limits.require_room(file, text_bytes=batch.nbytes, rows=len(batch))
        batch.validate(full=True)
        yield batch
