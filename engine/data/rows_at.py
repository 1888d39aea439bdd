"""One row of a file as it stands there, for a reader who wants to see it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tuneproof.engine.case import Data
from tuneproof.engine.data.files import RawRow, read_file
from tuneproof.engine.data.read import labelled_paths

BY_ROW = (".parquet", ".json")
"""Formats whose rows are not lines, so the file is read through to the row."""

LONGEST = 20_000


def files_by_label(data: Data) -> dict[str, Path]:
    """The files of a case under the names that findings call them by."""
    learned = labelled_paths(data.examples)
    return learned | (labelled_paths(data.eval, apart_from=learned) if data.eval is not None else {})


def row_text(path: Path, line: int) -> str:
    """The row at a line (for Parquet: at a row), at most 20,000 characters; empty where the file is gone or has no such row."""
    try:
        return _text(path, line)[:LONGEST]
    except OSError:
        return ""


def _text(path: Path, line: int) -> str:
    endings = [suffix.lower() for suffix in path.suffixes]
    if any(ending in BY_ROW for ending in endings[-2:]) or ".zst" in endings:
        found = next((row for row in read_file(path) if isinstance(row, RawRow) and row.line == line), None)
        return "" if found is None else json.dumps(found.value, ensure_ascii=False, default=str)
    lines = _lines(path)
    if ".csv" in endings or ".tsv" in endings:
        return _table_row(lines, line, "," if ".csv" in endings else "\t")
    return next(islice(lines, line - 1, line), "").rstrip("\r\n")


def _table_row(lines: Iterator[str], line: int, delimiter: str) -> str:
    """A table's row under its header, over as many lines as its quotes take."""
    header = next(csv.reader(lines, delimiter=delimiter), [])
    # The header was the first line: one that runs over several is told by its own count of line ends.
    skipped = 1 + sum(cell.count("\n") for cell in header)
    row = next(csv.reader(islice(lines, max(0, line - 1 - skipped), None), delimiter=delimiter), [])
    return json.dumps(dict(zip(header, row, strict=False)), ensure_ascii=False) if row else ""


def _lines(path: Path) -> Iterator[str]:
    """The lines as the readers count them: a line ends at a line feed and nowhere else."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        yield from io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="\n")
