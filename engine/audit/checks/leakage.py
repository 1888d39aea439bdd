"""Eval rows that the model would be trained on."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table


@check("leakage", severity=Severity.BLOCK, compares=True)
def leaked_rows(table: Table) -> Iterator[Finding]:
    """Rows to learn from whose input is also an eval row, punctuation and case aside: the score would measure memory.

    Only for a separate eval file; the parts of one file are cut so that no input is in two of them.
    """
    rows = leaks(table.examples, table.eval)
    if rows:
        contradicting = sum(bool(row.note) for row in rows)
        told = f", {contradicting} with another output" if contradicting else ""
        yield Finding(
            f"{len(rows)} {several(len(rows), 'row is', 'rows are')} also in eval{told}",
            "leave the rows to learn from out; the eval rows stay",
            rows,
        )


def leaks(learned: Rows, scored: Rows) -> tuple[Row, ...]:
    """Rows to learn from that are also scored, each with the scored row; those with another output first."""
    if not scored:
        return ()
    first: dict[str, int] = {}
    for at, key in enumerate(scored.duplicate):
        first.setdefault(key, at)
    rows = []
    for example, key in zip(learned, learned.duplicate, strict=True):
        if key in first:
            twin = scored[first[key]]
            differs = example.output.strip() != twin.output.strip()
            rows.append(Row(example.source, of=twin.source, note=f"eval says {quoted(twin.output)}" if differs else ""))
    return tuple(sorted(rows, key=lambda row: not row.note))
