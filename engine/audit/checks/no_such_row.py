"""Check: rows to leave out that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.left_out import NO_SUCH_ROW
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import listed, plural


@check(NO_SUCH_ROW, severity=Severity.BLOCK, compares=True)
def rows_that_are_not_there(table: Table) -> Iterator[Finding]:
    """Rows that the case leaves out one by one and that no file has: the name is misspelt, or the file has become shorter."""
    if not table.by_hand:
        return
    there = {*table.gone, *(source for source, _ in table.problems), *(example.source for part in table.parts for example in part)}
    missing = [str(source) for source in table.by_hand if source not in there]
    if missing:
        yield Finding(
            f"{len(missing)} {plural(len(missing), 'row', 'rows')} to leave out {plural(len(missing), 'is', 'are')} not in the data:"
            f" {listed(missing)}",
            "look which rows were meant, and take these off the list",
            (),
        )
