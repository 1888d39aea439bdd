"""Check: rows that the case leaves out one by one."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.left_out import BY_HAND
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check(BY_HAND, severity=Severity.WARN, always_leaves_out=True)
def rows_left_out_by_hand(table: Table) -> Iterator[Finding]:
    """Rows that a person has left out one by one, whatever the checks say about them.

    They are counted on the card, because whoever chooses the rows chooses what is measured.
    """
    wanted = set(table.by_hand)
    if not wanted:
        return
    rows = tuple(FlaggedRow(e.source, note=quoted(e.output, 80)) for part in table.parts for e in part if e.source in wanted)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row is', 'rows are')} left out by hand",
            "see that each is wrong, and not only hard",
            rows,
        )
