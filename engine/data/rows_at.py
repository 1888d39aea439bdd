"""One row of a file as it stands there, for a reader who wants to see it."""

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
from tuneproof.engine.data.files import ending_of, read_file
from tuneproof.engine.data.raw import RawRow
from tuneproof.engine.data.readers import labelled_paths

LINES = (".jsonl", ".ndjson")
"""Formats in which a row is a line, so that nothing after it has to be read."""

LONGEST = 20_000


def files_by_label(data: Data) -> dict[str, Path]:
    """The files of a case under the names that findings call them by."""
    learned = labelled_paths(data.examples)
    return learned | (labelled_paths(data.eval, apart_from=learned) if data.eval is not None else {})


def row_text(path: Path, line: int) -> str:
    """The row at a line (or of that number, see `Source`), at most 20,000 characters; empty where the file is gone or has no such row."""
    ending = ending_of(path)
    try:
        if ending.format in LINES and ending.compression != ".zst":
            return next(islice(_lines(path), line - 1, line), "").rstrip("\r\n")[:LONGEST]
        found = next((row for row in read_file(path) if row.line == line), None)
    except (DataRefused, OSError, EOFError, zlib.error):
        return ""
    if found is None:
        return ""
    return json.dumps(found.value, ensure_ascii=False, default=str)[:LONGEST] if isinstance(found, RawRow) else str(found.problem)


def _lines(path: Path) -> Iterator[str]:
    """The lines as the readers count them: a line ends at a line feed and nowhere else."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        yield from io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="\n")
