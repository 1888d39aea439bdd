"""Files to raw rows: one reader a format, plain or compressed; a row that cannot be read is said, and the good rows go on."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.encodings import first_bad_of, is_marked, wide_encoding
from tuneproof.engine.data.json_rows import json_file, json_lines
from tuneproof.engine.data.problems import NotUtf8, Unreadable
from tuneproof.engine.data.raw import BadRow, RawRow, Rows

COMPRESSIONS = (".gz", ".zst")


@dataclass(frozen=True)
class Ending:
    """What the end of a file's name says: the format of its rows, and how it is compressed; each may be empty."""

    format: str
    compression: str


def ending_of(path: Path) -> Ending:
    """The format is the last ending, or the last but one before a compression; what else has a dot is part of the name."""
    suffixes = [s.lower() for s in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return Ending(suffixes[-1] if suffixes else "", compression)


def read_file(path: Path) -> Rows:
    """The rows of one file, by its ending. Raises DataRefused for an ending, an encoding or a file that cannot be read at all."""
    ending = ending_of(path)
    reader = READERS.get(ending.format)
    if reader is None:
        raise DataRefused(
            f"`{path.suffix or 'no ending'}` is not a format this program reads",
            where=str(path),
            fix=f"use {', '.join(READERS)}, plain or with .gz or .zst",
        )
    try:
        content = _decompressed(path, ending.compression)
        if ending.format in TEXT_FORMATS and (encoding := wide_encoding(content)):
            raise DataRefused(f"the file is {encoding}, not UTF-8", where=str(path), fix="save it as UTF-8")
        yield from reader(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataRefused(f"the file cannot be read: {error}", where=str(path)) from None


def _decompressed(path: Path, compression: str) -> bytes:
    if compression == ".gz":
        return gzip.decompress(path.read_bytes())
    if compression == ".zst":
        # pyarrow is here for Parquet and brings Zstandard with it.
        import pyarrow

        with pyarrow.input_stream(str(path), compression="zstd") as stream:
            content: bytes = stream.read()
            return content
    return path.read_bytes()


def _table(delimiter: str) -> Callable[[bytes], Rows]:
    def read(content: bytes) -> Rows:
        # Undecodable bytes become lone surrogates, so that one bad cell costs one row and not the file.
        text = content.decode("utf-8-sig", "surrogateescape")
        csv.field_size_limit(2**31 - 1)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header: list[str] | None = None
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield BadRow(line, Unreadable(f"not a table row: {error}"))
                return
            if cells is None:
                return
            if header is None:
                header = [_shown(cell) for cell in cells]
                bad = _bad_cell(header, cells)
                if bad is not None:
                    yield BadRow(line, bad)
            elif cells:
                yield _table_row(line, header, cells)
            line = reader.line_num + 1

    return read


def _table_row(line: int, header: list[str], cells: list[str]) -> RawRow | BadRow:
    if len(cells) != len(header):
        return BadRow(line, Unreadable(f"{len(cells)} cells where the header has {len(header)}"))
    bad = _bad_cell(header, cells)
    return RawRow(line, dict(zip(header, cells, strict=True))) if bad is None else BadRow(line, bad)


def _bad_cell(header: list[str], cells: list[str]) -> NotUtf8 | None:
    for name, cell in zip(header, cells, strict=True):
        if is_marked(cell) and (bad := first_bad_of(cell)) is not None:
            return NotUtf8.at(bad, f"of the cell `{name}`")
    return None


def _shown(name: str) -> str:
    """The name of a column with bytes that are no text written as \\xe9, so that its rows can be read."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _parquet(content: bytes) -> Rows:
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

READERS: dict[str, Callable[[bytes], Rows]] = {
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_file,
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".parquet": _parquet,
}
