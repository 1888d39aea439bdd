"""One row as its file has it, to show it to the user."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.files import file_type, read_file
from tuneproof.engine.data.raw import RawRow
from tuneproof.engine.data.readers import source_files

LINE_FORMATS = (".jsonl", ".ndjson")
"""Formats with one row a line, so that the lines after it need not be read."""

MAX_CHARACTERS = 20_000


def source_files_of(data: Data) -> dict[str, Path]:
    """The files of a case, by the names that sources and findings have for them."""
    examples = source_files(data.examples)
    return examples | (source_files(data.eval, apart_from=examples) if data.eval is not None else {})


def source_row_text(path: Path, line: int) -> str:
    """The row at a line (or with that number, see `Source`), up to MAX_CHARACTERS; empty if the file is gone or has no such row."""
    kind = file_type(path)
    try:
        if kind.format in LINE_FORMATS and kind.compression != ".zst":
            return next(islice(_lines(path), line - 1, line), "").rstrip("\r\n")[:MAX_CHARACTERS]
        found = next((row for row in read_file(path) if row.line == line), None)
    except (DataRefused, OSError, EOFError, zlib.error):
        return ""
    if found is None:
        return ""
    return json.dumps(found.value, ensure_ascii=False, default=str)[:MAX_CHARACTERS] if isinstance(found, RawRow) else str(found.problem)


def _lines(path: Path) -> Iterator[str]:
    """The lines as the readers count them: only a line feed ends a line."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        yield from io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="\n")
