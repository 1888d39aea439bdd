"""Files to raw rows: one reader for each format, plain or compressed. A row that cannot be read costs only itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.core.text_file import reason_of
from tuneproof.engine.data.arrow_files import arrow_rows
from tuneproof.engine.data.content import COMPRESSIONS, Content, open_content
from tuneproof.engine.data.encodings import utf16_or_utf32
from tuneproof.engine.data.eval_sets.promptfoo_file import promptfoo_rows
from tuneproof.engine.data.json_rows import json_file, json_lines
from tuneproof.engine.data.parquet import parquet_rows
from tuneproof.engine.data.raw import Misnamed, RawRows
from tuneproof.engine.data.reading_limits import ReadingLimits
from tuneproof.engine.data.spreadsheets import spreadsheet_rows
from tuneproof.engine.data.tables import table_reader

JSON = ".json"

YAML = (".yaml", ".yml")
"""Read only where the file itself is named: in a folder of data they are case files and other settings."""

HELD_WHOLE = 5
"""Bytes held for each byte of a JSON document while its rows are made: itself, and its text with up to four bytes a character."""

TEXT_READERS: dict[str, Callable[[io.BufferedReader], RawRows]] = {
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    JSON: json_file,
    ".csv": table_reader(","),
    ".tsv": table_reader("\t"),
    **dict.fromkeys(YAML, promptfoo_rows),
}
"""The reader of each format that is text, from the decompressed content of a file to its rows."""

WHOLE_READERS: dict[str, Callable[[Path | bytes, str, int, ReadingLimits], RawRows]] = {
    ".parquet": parquet_rows,
    **dict.fromkeys((".arrow", ".feather", ".ipc"), arrow_rows),
    **dict.fromkeys((".xlsx", ".xls", ".xlsb", ".ods"), spreadsheet_rows),
}
"""The reader of each format that is not read from its beginning to its end, from a path or a decompressed content."""

FORMATS = (*TEXT_READERS, *WHOLE_READERS)

FORMATS_IN_FOLDERS = tuple(each for each in FORMATS if each not in YAML)


@dataclass(frozen=True)
class FileType:
    """The type of a file by its name."""

    format: str
    """One of `FORMATS`, if the format is known."""
    compression: str
    """One of `COMPRESSIONS`, or empty."""


def file_type(path: Path) -> FileType:
    """Format and compression from the last suffixes, so that "a.b.jsonl.gz" is gzipped JSONL."""
    suffixes = [s.lower() for s in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return FileType(suffixes[-1] if suffixes else "", compression)


def read_file(path: Path, limits: ReadingLimits, on_open: Callable[[Content], None] = lambda content: None) -> RawRows:
    """The rows of one file. `on_open` is called with its content, which says how much of it has been read.

    Raises DataRefused if its format is not known, if the file as a whole cannot be read, or if it is larger than the limits allow.
    """
    kind = file_type(path)
    if kind.format not in FORMATS:
        raise DataRefused(
            f"files ending in `{path.suffix}` are not supported" if path.suffix else "the file name has no ending",
            where=str(path),
            fix=f"use {', '.join(FORMATS)}, plain or with .gz or .zst",
        )
    try:
        with open_content(path, kind.compression, limits, HELD_WHOLE if kind.format == JSON else 0) as content:
            on_open(content)
            if kind.format in WHOLE_READERS:
                # What it has where stands at its end, so a compressed one is decompressed first.
                source = content.readall() if kind.compression else path
                yield from WHOLE_READERS[kind.format](source, str(path), content.file_bytes, limits)
            else:
                yield from _text_rows(io.BufferedReader(content, 1 << 16), path, TEXT_READERS[kind.format])
    except Misnamed as error:
        raise DataRefused(str(error), where=str(path), fix=error.fix) from None
    except OSError as error:
        fix = "check that the file is whole and is what its ending says, and that you may read it"
        raise DataRefused(f"the file cannot be read: {reason_of(error).rstrip('.')}", where=str(path), fix=fix) from None


def _text_rows(content: io.BufferedReader, path: Path, reader: Callable[[io.BufferedReader], RawRows]) -> RawRows:
    if encoding := utf16_or_utf32(content.peek(4)[:4]):
        raise DataRefused(f"the file is {encoding}, not UTF-8", where=str(path), fix=f"save it as UTF-8: iconv -f {encoding} -t UTF-8")
    yield from reader(content)
