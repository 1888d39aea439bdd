"""Files to raw rows: one reader for each format, plain or compressed. A row that cannot be read costs only itself."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.encodings import first_invalid_in_text, has_invalid_bytes, utf16_or_utf32
from tuneproof.engine.data.json_rows import json_file, json_lines
from tuneproof.engine.data.problems import NotUtf8Row, UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows

COMPRESSIONS = (".gz", ".zst")


@dataclass(frozen=True)
class FileType:
    """The type of a file by its name."""

    format: str
    """A key of `READERS`, if the format is known."""
    compression: str
    """One of `COMPRESSIONS`, or empty."""


def file_type(path: Path) -> FileType:
    """Format and compression from the last suffixes, so that "a.b.jsonl.gz" is gzipped JSONL."""
    suffixes = [s.lower() for s in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return FileType(suffixes[-1] if suffixes else "", compression)


def read_file(path: Path) -> RawRows:
    """The rows of one file. Raises DataRefused if its format is not known, or if the file as a whole cannot be read."""
    kind = file_type(path)
    reader = READERS.get(kind.format)
    if reader is None:
        raise DataRefused(
            f"files ending in `{path.suffix}` are not supported" if path.suffix else "the file name has no ending",
            where=str(path),
            fix=f"use {', '.join(READERS)}, plain or with .gz or .zst",
        )
    try:
        content = _decompressed(path, kind.compression)
        if kind.format in TEXT_FORMATS and (encoding := utf16_or_utf32(content)):
            raise DataRefused(f"the file is {encoding}, not UTF-8", where=str(path), fix="save it as UTF-8")
        yield from reader(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataRefused(f"the file cannot be read: {error}", where=str(path)) from None


def _decompressed(path: Path, compression: str) -> bytes:
    if compression == ".gz":
        return gzip.decompress(path.read_bytes())
    if compression == ".zst":
        # pyarrow is installed for Parquet and has Zstandard too.
        import pyarrow

        with pyarrow.input_stream(str(path), compression="zstd") as stream:
            content: bytes = stream.read()
            return content
    return path.read_bytes()


def _table_reader(delimiter: str) -> Callable[[bytes], RawRows]:
    def read(content: bytes) -> RawRows:
        # Invalid bytes become lone surrogates, so that a bad cell costs its row and not the whole file.
        text = content.decode("utf-8-sig", "surrogateescape")
        csv.field_size_limit(2**31 - 1)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header: list[str] | None = None
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield InvalidRow(line, UnreadableRow(f"not a table row: {error}"))
                return
            if cells is None:
                return
            if header is None:
                header = [_column_name(cell) for cell in cells]
                invalid = _invalid_cell(header, cells)
                if invalid is not None:
                    yield InvalidRow(line, invalid)
            elif cells:
                yield _table_row(line, header, cells)
            line = reader.line_num + 1

    return read


def _table_row(line: int, header: list[str], cells: list[str]) -> RawRow | InvalidRow:
    if len(cells) != len(header):
        return InvalidRow(line, UnreadableRow(f"{len(cells)} cells, but the header has {len(header)}"))
    invalid = _invalid_cell(header, cells)
    return RawRow(line, dict(zip(header, cells, strict=True))) if invalid is None else InvalidRow(line, invalid)


def _invalid_cell(header: list[str], cells: list[str]) -> NotUtf8Row | None:
    """The problem of the first cell with bytes that are not UTF-8."""
    for name, cell in zip(header, cells, strict=True):
        if has_invalid_bytes(cell) and (found := first_invalid_in_text(cell)) is not None:
            return NotUtf8Row.of(found, f"of the cell `{name}`")
    return None


def _column_name(cell: str) -> str:
    """The name of a column, with invalid bytes as \\xe9, so that the column can be used."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _parquet(content: bytes) -> RawRows:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(pyarrow.BufferReader(content))
    except pyarrow.ArrowInvalid as error:
        raise OSError(f"not Parquet: {error}") from None
    number = 0
    for batch in table.to_batches(max_chunksize=10_000):
        for value in batch.to_pylist():
            number += 1
            yield RawRow(number, value)


TEXT_FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")

READERS: dict[str, Callable[[bytes], RawRows]] = {
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_file,
    ".csv": _table_reader(","),
    ".tsv": _table_reader("\t"),
    ".parquet": _parquet,
}
"""The reader of each format, from the decompressed content of a file to its rows."""
