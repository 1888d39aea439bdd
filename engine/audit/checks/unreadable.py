"""Rows that are no examples, and rows with nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.problems import Unreadable


@check("unreadable", severity=Severity.WARN, always_leaves_out=True)
def unreadable_rows(table: Table) -> Iterator[Finding]:
    """Rows that cannot be read: broken JSON, missing keys, fields of a wrong type. They are left out: nothing else can be done."""
    rows = tuple(Row(source, note=problem.told) for source, problem in table.problems_of(Unreadable))
    if rows:
        count = len(rows)
        yield Finding(f"{count} {several(count, 'row', 'rows')} cannot be read", "mend the rows in the file", rows)


@check("empty", severity=Severity.WARN, always_leaves_out=True)
def empty_rows(table: Table) -> Iterator[Finding]:
    """Rows that ask nothing or answer nothing: training on them teaches silence."""
    rows = []
    for example in [*table.examples, *table.eval]:
        if not example.input.strip():
            rows.append(Row(example.source, note="the input is empty"))
        elif not example.output.strip():
            rows.append(Row(example.source, note="the output is empty"))
    if rows:
        yield Finding(f"{len(rows)} {several(len(rows), 'row is', 'rows are')} empty", "fill them in, or delete them", tuple(rows))
