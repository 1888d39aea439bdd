"""Check: training rows that are nearly the same as another row."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("near-duplicate", severity=Severity.WARN, compares=True)
def near_duplicates(table: Table) -> Iterator[Finding]:
    """Training rows that are nearly the same as another row: their content counts double. The first row of each cluster is not listed.

    Near means that the two inputs share at least 80 % of all their runs of three words (or five characters). Near is not equal: look at
    rows before you leave them out, because a single word can change the meaning.
    """
    rows = tuple(
        FlaggedRow(table.examples[found.row].source, of=table.examples[found.of].source, note=f"similarity {found.jaccard:.0%}")
        for found in table.near().dropped
        if table.examples.norm[found.row] != table.examples.norm[found.of]
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row is', 'rows are')} nearly the same as another row",
            "leave them out, or keep them on purpose",
            rows,
        )
