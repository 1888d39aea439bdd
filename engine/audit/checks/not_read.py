"""Check: what of a file is not read."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.notes import NotRead


@check("not-read", severity=Severity.WARN)
def not_read(table: Table) -> Iterator[Finding]:
    """Parts of files that are not read: sheets of a workbook with other columns than its first, and a test part that is not used."""
    for note, rows in table.notes_of(NotRead):
        rows_of = f": {note.rows:,} {plural(note.rows, 'row', 'rows')}" if note.rows is not None else ""
        message = f"not read: {note.what}{rows_of}"
        yield Finding(message, "put it into a file of its own, if it is needed", tuple(map(FlaggedRow, rows)))
