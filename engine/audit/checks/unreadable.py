"""Check: rows that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.problems import UnreadableRow


@check("unreadable", severity=Severity.WARN, always_leaves_out=True)
def unreadable_rows(table: Table) -> Iterator[Finding]:
    """Rows that cannot be read: broken JSON, missing keys, fields of the wrong type, what is inside a quotation mark that is
    never closed. They are always left out, and their lines are counted."""
    rows = tuple(FlaggedRow(source, note=problem.message) for source, problem in table.problems_of(UnreadableRow))
    if rows:
        lines = sum(problem.lines for _, problem in table.problems_of(UnreadableRow))
        over = f", over {lines:,} lines" if lines > len(rows) else ""
        yield Finding(f"{len(rows)} {plural(len(rows), 'row', 'rows')} cannot be read{over}", "fix the rows in the file", rows)
