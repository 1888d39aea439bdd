"""Copies of the rows of a finding in a file next to the data, to be looked at and fixed; the data itself is never edited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.files import file_type
from tuneproof.engine.data.source_files import QUARANTINE_SUFFIX
from tuneproof.engine.data.source_rows import source_row_text
from tuneproof.engine.scoring.predictions import to_jsonl


class QuarantinedRow(BaseModel):
    """One line of a quarantine file: the check, what is wrong, the file and line of the row, and the row itself."""

    model_config = ConfigDict(extra="forbid")

    check: str
    file: str
    line: int
    note: str
    row: str


@dataclass(frozen=True)
class QuarantineCopy:
    """A quarantine file that was written: its content before, None if it was not there, and after."""

    path: Path
    before: bytes | None
    after: bytes

    def take_back(self) -> bool:
        """Gives the file its former content; returns False, and leaves it, if it was changed since. Raises OSError if it cannot be."""
        if not self.path.is_file() or self.path.read_bytes() != self.after:
            return False
        if self.before is None:
            self.path.unlink()
        else:
            write_atomically(self.path, self.before.decode("utf-8"))
        return True


def write_quarantine(finding: StoredFinding, files: dict[str, Path]) -> list[QuarantineCopy]:
    """Writes the rows of a finding, with what is wrong with each, next to the file that they come from. Returns the files written,
    in order; two data files may share one.

    Rows of other checks in the file stay; rows of the same check are replaced. Rows of hub data sets are skipped, because they have no
    local file. Raises OSError if a file cannot be written, and DataRefused if a file of that name has other content.
    """
    written: list[QuarantineCopy] = []
    for label in dict.fromkeys(row.file for row in finding.rows):
        source = files.get(label)
        if source is None:
            continue
        path = quarantine_path(source)
        kept = [row for row in _read(path) if (row.check, row.file) != (finding.check, source.name)]
        added = [
            QuarantinedRow(check=finding.check, file=source.name, line=row.line, note=row.note, row=source_row_text(source, row.line))
            for row in finding.rows
            if row.file == label
        ]
        before = path.read_bytes() if path.is_file() else None
        write_atomically(path, to_jsonl([*kept, *added]))
        written.append(QuarantineCopy(path, before, path.read_bytes()))
    return written


def quarantine_path(source: Path) -> Path:
    """The quarantine file of a data file: `tickets.quarantine.jsonl` next to `tickets.jsonl`."""
    ending = file_type(source)
    return source.with_name(source.name[: len(source.name) - len(ending.format + ending.compression)] + QUARANTINE_SUFFIX)


def _read(path: Path) -> list[QuarantinedRow]:
    if not path.is_file():
        return []
    try:
        return [QuarantinedRow.model_validate_json(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (ValidationError, UnicodeDecodeError):
        raise DataRefused("not a quarantine file, so no rows can be added to it", where=str(path), fix="move or rename it") from None
