"""Check: keys of the data that say something on which nothing here acts."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.notes import KeyPlace, UnusedKey


@check("unused-keys", severity=Severity.WARN)
def unused_keys(table: Table) -> Iterator[Finding]:
    """Keys that mean something in the format of the data, such as `images`, and on which nothing here acts.

    A model that is trained without them learns from other rows than their writer had in mind. Keys that only describe a row, such as an
    id, are kept as its metadata and are not reported.
    """
    for note, rows in table.notes_of(UnusedKey):
        have = plural(len(rows), "row has", "rows have")
        where = f"`{note.key}` in a turn" if note.place is KeyPlace.TURN else f"`{note.key}`"
        yield Finding(
            f"{len(rows):,} {have} {where}: {note.consequence}",
            "see whether the rows are right without it, and leave out those that are not",
            tuple(FlaggedRow(row, note=f"`{note.key}`") for row in rows),
        )
