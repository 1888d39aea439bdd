"""Check: rows that are a part by the name of their file."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.notes import TakenPart


@check("named-parts", severity=Severity.INFO)
def named_parts(table: Table) -> Iterator[Finding]:
    """Files, sheets and lists that are called train, validation or test, and are taken for these parts instead of being divided.

    Test rows are the eval set, and validation rows the validation part. The finding names the first row of each."""
    for note, rows in table.notes_of(TakenPart):
        files = ", ".join(dict.fromkeys(row.file for row in rows))
        action = "nothing, if that is meant; else list the files one by one, or rename them"
        yield Finding(f"taken for {note.part.value} by name: {files}", action, tuple(map(FlaggedRow, rows)))
