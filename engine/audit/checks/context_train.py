"""Check: training rows that are longer than the context of the model."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.too_long import rows_too_long
from tuneproof.engine.audit.wording import plural


@check("context-train", severity=Severity.WARN, always_leaves_out=True)
def training_rows_too_long(table: Table) -> Iterator[Finding]:
    """Training rows whose prompt and answer do not fit the context of the model. They are left out, because their answer would be cut."""
    rows = rows_too_long(table.examples, table.lengths)
    if rows and table.lengths:
        yield Finding(
            f"{len(rows)} training {plural(len(rows), 'row does', 'rows do')} not fit {table.lengths.context} tokens",
            "shorten them, or choose a base model with a longer context",
            rows,
        )
