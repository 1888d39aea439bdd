"""Copies of a finding's rows in a file beside the data, so that they can be looked at and mended; the data itself is never edited."""

from __future__ import annotations

import json
from pathlib import Path

from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.data.read import QUARANTINE_ENDING
from tuneproof.engine.data.rows_at import row_text
from tuneproof.engine.run.store import write_whole


def write_quarantine(finding: StoredFinding, files: dict[str, Path]) -> list[Path]:
    """Writes the rows of a finding, with what is wrong with each, beside the file they come from; the files written.

    What stands there from other checks stays; rows of the same check are written anew. Rows of hub data sets have no place to be beside.
    """
    written = []
    for label in dict.fromkeys(row.file for row in finding.rows):
        source = files.get(label)
        if source is None:
            continue
        path = quarantine_path(source)
        kept = [line for line in _lines(path) if json.loads(line)["check"] != finding.check]
        added = [
            json.dumps(
                {"check": finding.check, "line": row.line, "note": row.note, "row": row_text(source, row.line)},
                ensure_ascii=False,
            )
            for row in finding.rows
            if row.file == label
        ]
        write_whole(path, "".join(line + "\n" for line in kept + added))
        written.append(path)
    return written


def quarantine_path(source: Path) -> Path:
    """Where the rows of a data file go: `tickets.quarantine.jsonl` beside `tickets.jsonl`."""
    stem = source.name[: -len("".join(source.suffixes))] if source.suffixes else source.name
    return source.with_name(stem + QUARANTINE_ENDING)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
