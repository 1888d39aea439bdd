"""Check: columns of one name."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.notes import RenamedColumns


@check("renamed-columns", severity=Severity.INFO)
def renamed_columns(table: Table) -> Iterator[Finding]:
    """Tables in which several columns have one name. Each gets a number, so that none is taken for another."""
    for note, rows in table.notes_of(RenamedColumns):
        names = ", ".join(f"`{name}`" for name in note.new_names)
        message = f"{len(note.new_names)} columns are called `{note.name}`: they are read as {names}"
        yield Finding(message, "rename them", tuple(map(FlaggedRow, rows)))
