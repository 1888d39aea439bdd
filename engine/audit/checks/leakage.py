"""Check: training rows that are also eval rows."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.common_requests import common_requests
from tuneproof.engine.audit.leaks import leaked_rows
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("leakage", severity=Severity.BLOCK, compares=True)
def exact_leakage(table: Table) -> Iterator[Finding]:
    """Training rows whose input is also an eval row, ignoring punctuation and case: the score would measure memory.

    Short requests that many rows have, such as "thank you", are reported by `common-requests`. Only for a separate eval file. A split of
    one file never puts an input into two parts.
    """
    rows = leaked_rows(table.examples, table.eval, table.once(common_requests).examples)
    if rows:
        contradicting = sum(bool(row.note) for row in rows)
        others = f", {contradicting} with another output" if contradicting else ""
        yield Finding(
            f"{len(rows)} training {plural(len(rows), 'row is', 'rows are')} also in eval{others}",
            "leave the training rows out; the eval rows stay",
            rows,
        )
