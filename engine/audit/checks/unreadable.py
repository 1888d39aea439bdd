"""Check: rows that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.problems import UnreadableRow


@check("unreadable", severity=Severity.WARN, always_leaves_out=True)
def unreadable_rows(table: Table) -> Iterator[Finding]:
    """Rows that cannot be read: broken JSON, missing keys, fields of the wrong type. They are always left out."""
    rows = tuple(FlaggedRow(source, note=problem.message) for source, problem in table.problems_of(UnreadableRow))
    if rows:
        yield Finding(f"{len(rows)} {plural(len(rows), 'row', 'rows')} cannot be read", "fix the rows in the file", rows)
