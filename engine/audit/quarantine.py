"""Copies of a finding's rows in a file beside the data, so that they can be looked at and mended; the data itself is never edited."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.files import ending_of
from tuneproof.engine.data.readers import QUARANTINE_ENDING
from tuneproof.engine.data.rows_at import row_text
from tuneproof.engine.scoring.predictions import to_jsonl


class QuarantinedRow(BaseModel):
    """One line of a quarantine file: what is wrong, where the row stands, and the row as it stands there."""

    model_config = ConfigDict(extra="forbid")

    check: str
    file: str
    line: int
    note: str
    row: str


def write_quarantine(finding: StoredFinding, files: dict[str, Path]) -> list[Path]:
    """Writes the rows of a finding, with what is wrong with each, beside the file they come from; the files written.

    What stands there from other checks stays; rows of the same check and file are written anew. Rows of hub data sets have no place to be
    beside. Raises OSError where a file cannot be written, and DataRefused where one of that name is something else.
    """
    written = []
    for label in dict.fromkeys(row.file for row in finding.rows):
        source = files.get(label)
        if source is None:
            continue
        path = quarantine_path(source)
        kept = [row for row in _read(path) if (row.check, row.file) != (finding.check, source.name)]
        added = [
            QuarantinedRow(check=finding.check, file=source.name, line=row.line, note=row.note, row=row_text(source, row.line))
            for row in finding.rows
            if row.file == label
        ]
        write_atomically(path, to_jsonl([*kept, *added]))
        written.append(path)
    return list(dict.fromkeys(written))


def quarantine_path(source: Path) -> Path:
    """Where the rows of a data file go: `tickets.quarantine.jsonl` beside `tickets.jsonl`."""
    ending = ending_of(source)
    return source.with_name(source.name[: len(source.name) - len(ending.format + ending.compression)] + QUARANTINE_ENDING)


def _read(path: Path) -> list[QuarantinedRow]:
    if not path.is_file():
        return []
    try:
        return [QuarantinedRow.model_validate_json(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (ValidationError, UnicodeDecodeError):
        raise DataRefused("rows cannot be put here: the file holds something else", where=str(path), fix="move it away") from None
