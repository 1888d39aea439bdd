"""Check: rows of which the data say that nothing is to be learned."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.problems import NothingToLearn


@check("not-to-learn", severity=Severity.WARN, always_leaves_out=True)
def not_to_learn(table: Table) -> Iterator[Finding]:
    """Rows whose only answers the data themselves rule out: turns with `weight: 0`, rows that annotators rejected or skipped, bad answers.

    They are always left out: to train on an answer that its own data call wrong teaches the mistake.
    """
    rows = tuple(FlaggedRow(source, note=problem.message) for source, problem in table.problems_of(NothingToLearn))
    if rows:
        yield Finding(
            f"the data say of {len(rows):,} {plural(len(rows), 'row', 'rows')} that the answer is not to be learned",
            "nothing, if that is meant; else change the key that the row's note names",
            rows,
        )
