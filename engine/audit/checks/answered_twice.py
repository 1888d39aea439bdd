"""Check: rows that have another person's answer to the task of an earlier row."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.problems import AnsweredTwice


@check("answered-twice", severity=Severity.INFO, always_leaves_out=True)
def answered_twice(table: Table) -> Iterator[Finding]:
    """Rows of a labelling tool with another person's answer to the task of an earlier row: the two are one row, with the answer of most."""
    rows = tuple(FlaggedRow(source, note=problem.message) for source, problem in table.problems_of(AnsweredTwice))
    if rows:
        yield Finding(
            f"{len(rows):,} {plural(len(rows), 'row has', 'rows have')} another answer to the task of an earlier row, and "
            f"{plural(len(rows), 'is', 'are')} counted there",
            "nothing: each task is one row",
            rows,
        )
