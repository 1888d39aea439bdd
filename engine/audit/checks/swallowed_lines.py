"""Check: quoted cells of tables that may have swallowed rows."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.notes import SwallowedLines


@check("swallowed-lines", severity=Severity.WARN)
def swallowed_lines(table: Table) -> Iterator[Finding]:
    """Rows of a CSV with a quoted cell over three or more lines that each look like a row, as where a quotation mark is missing.

    They are read as CSV says, with these lines inside the cell.
    """
    for _, rows in table.notes_of(SwallowedLines):
        yield Finding(
            f"{len(rows):,} {plural(len(rows), 'row has a quoted cell', 'rows have quoted cells')} over lines that each look like a row",
            "see whether a quotation mark is missing; else nothing",
            tuple(map(FlaggedRow, rows)),
        )
