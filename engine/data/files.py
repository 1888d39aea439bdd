"""Files to raw rows: one reader a format, plain or compressed; a row that cannot be read is said, and the good rows go on."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuneproof.engine.errors import DataRefused


@dataclass(frozen=True)
class RawRow:
    """One row as the file has it."""

    line: int
    value: Any


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be read, and why."""

    line: int
    problem: str


Rows = Iterator[RawRow | BadRow]

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
    """The rows of one file, by its ending. Raises DataRefused for an ending or a file that cannot be read at all."""
    ending = ending_of(path)
    reader = READERS.get(ending.format)
    if reader is None:
        raise DataRefused(
            f"`{path.suffix or 'no ending'}` is not a format this program reads",
            where=str(path),
            fix=f"use {', '.join(READERS)}, plain or with .gz or .zst",
        )
    try:
        yield from reader(_decompressed(path, ending.compression))
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


def _jsonl(content: bytes) -> Rows:
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield RawRow(number, _strict_json(line.decode("utf-8")))
        except UnicodeDecodeError as error:
            yield BadRow(number, f"not UTF-8 at byte {error.start + 1} of the line (0x{line[error.start]:02x})")
        except ValueError as error:
            yield BadRow(number, f"not JSON: {error}")


def _json(content: bytes) -> Rows:
    """A JSON array of rows, an object that holds one such array, or JSON lines under the wrong ending."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield BadRow(line, f"not UTF-8 (0x{content[error.start]:02x}); the file cannot be read as one JSON value")
        return
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] == "[":
        yield from _told_apart(list(_array(text, start + 1)))
        return
    try:
        whole = _strict_json(text)
    except ValueError:
        yield from _jsonl(content)
        return
    arrays = [v for v in whole.values() if isinstance(v, list)] if isinstance(whole, dict) else []
    if len(arrays) == 1:
        yield from (RawRow(number, value) for number, value in enumerate(arrays[0], start=1))
    else:
        yield RawRow(1, whole)


def _told_apart(rows: list[RawRow | BadRow]) -> Rows:
    """The rows by their lines, or by their numbers where two begin on one line: a place in the data has to be that of one row."""
    if len({row.line for row in rows}) == len(rows):
        yield from rows
    else:
        yield from (replace(row, line=number) for number, row in enumerate(rows, start=1))


def _array(text: str, at: int) -> Rows:
    """The elements of an array one by one, each with the line where it begins."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    line, counted = 1, 0
    while True:
        at = _skip(text, at, " \t\r\n")
        line, counted = line + text.count("\n", counted, at), at
        if at >= len(text):
            yield BadRow(line, "the array is not closed; what follows cannot be read")
            return
        if text[at] == "]":
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield BadRow(line, f"not JSON: {error}; the rest of the array cannot be read")
            return
        yield RawRow(line, value)
        at = _skip(text, end, " \t\r\n")
        if at < len(text) and text[at] == ",":
            at += 1
        elif at < len(text) and text[at] != "]":
            yield BadRow(line, "no comma between two rows; the rest of the array cannot be read")
            return


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


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
                yield BadRow(line, f"not a table row: {error}")
                return
            if cells is None:
                return
            if header is None:
                header = cells
            elif cells:
                yield _table_row(line, header, cells)
            line = reader.line_num + 1

    return read


def _table_row(line: int, header: list[str], cells: list[str]) -> RawRow | BadRow:
    if len(cells) != len(header):
        return BadRow(line, f"{len(cells)} cells where the header has {len(header)}")
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return BadRow(line, "not UTF-8")
    return RawRow(line, dict(zip(header, cells, strict=True)))


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


def _strict_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


READERS: dict[str, Callable[[bytes], Rows]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".parquet": _parquet,
}
