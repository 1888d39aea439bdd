"""Rows with awkward texts, written in every format that is read."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet

from tuneproof.engine.data.files import read_file
from tuneproof.engine.data.raw import RawRow
from tuneproof.engine.data.reading_limits import ReadingLimits

ROWS = [{"input": f"row {i}\nof “many” 🍕", "output": f'"{i}", said Zoë'} for i in range(4)]


def encoded(ending: str) -> bytes:
    """The rows in a format, in the most awkward way that it allows."""
    match ending.split(".")[1]:
        case "jsonl":
            return b"\xef\xbb\xbf" + "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
        case "json":
            return json.dumps(ROWS, indent=1).encode()
        case "parquet":
            sink = io.BytesIO()
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), sink)
            return sink.getvalue()
        case table:
            # A header over two lines, and an empty line after each row.
            return table_of(["in\nput", "output"], [[row["input"], row["output"]] for row in ROWS], "\t" if table == "tsv" else ",", "\n\n")


def table_of(header: list[str], rows: list[list[str]], delimiter: str = ",", ends: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerow(header)
    csv.writer(text, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return text.getvalue().encode()


def packed(content: bytes, ending: str) -> bytes:
    if ending.endswith(".gz"):
        return gzip.compress(content)
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True)) if ending.endswith(".zst") else content


def rows_of(path: Path) -> list[RawRow]:
    return [row for row in read_file(path, ReadingLimits.none()) if isinstance(row, RawRow)]
