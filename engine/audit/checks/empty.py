"""Check: rows without an input or without an output."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("empty", severity=Severity.WARN, always_leaves_out=True)
def empty_rows(table: Table) -> Iterator[Finding]:
    """Rows with an empty input or an empty output: training on them teaches the model to answer with nothing. They are always left out."""
    rows = []
    for example in [*table.examples, *table.eval]:
        if not example.input.strip():
            rows.append(FlaggedRow(example.source, note="the input is empty"))
        elif not example.output.strip():
            rows.append(FlaggedRow(example.source, note="the output is empty"))
    if rows:
        yield Finding(f"{len(rows)} {plural(len(rows), 'row is', 'rows are')} empty", "fill them in, or delete them", tuple(rows))
