"""Check: inputs that occur more than once."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("duplicate", severity=Severity.WARN, compares=True)
def duplicate_inputs(table: Table) -> Iterator[Finding]:
    """Rows whose input has occurred before, after Unicode and white-space normalisation: such an input counts double in training.

    A split keeps all copies of an input in the same part.
    """
    rows = tuple(
        FlaggedRow(part[at].source, of=part[group[0]].source)
        for part in table.parts
        for group in part.norm.equal_groups()
        for at in group[1:]
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row repeats', 'rows repeat')} an input",
            "delete the copies, or keep them on purpose",
            rows,
        )
