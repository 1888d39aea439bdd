"""One row as its file has it, to show it to the user."""

from __future__ import annotations

import io
import json
from pathlib import Path

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.content import open_content
from tuneproof.engine.data.files import file_type, read_file
from tuneproof.engine.data.json_rows import BYTE_ORDER_MARK
from tuneproof.engine.data.raw import RawRow
from tuneproof.engine.data.reading_limits import MIB, ReadingLimits
from tuneproof.engine.data.source_files import source_files

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
        if kind.format in LINE_FORMATS:
            return _line(path, kind.compression, line)
        found = next((row for row in read_file(path, ReadingLimits.none()) if row.line == line), None)
    except (DataRefused, OSError):
        return ""
    if found is None:
        return ""
    return json.dumps(found.value, ensure_ascii=False, default=str)[:MAX_CHARACTERS] if isinstance(found, RawRow) else str(found.problem)


def _line(path: Path, compression: str, number: int) -> str:
    """The beginning of a line as the readers count them: only a line feed ends a line."""
    with open_content(path, compression, ReadingLimits.none()) as content:
        lines = io.BufferedReader(content, 1 << 16)
        for _ in range(number - 1):
            while (piece := lines.readline(MIB)) and not piece.endswith(b"\n"):
                pass
            if not piece:
                return ""
        start = lines.readline(4 * MAX_CHARACTERS + len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK if number == 1 else b"")
    return start.decode("utf-8", "replace").rstrip("\r\n")[:MAX_CHARACTERS]
