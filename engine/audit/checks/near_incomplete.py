"""Check: near rows of which not all were found."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.near.settings import MOST_PAIRS
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table


@check("near-incomplete", severity=Severity.BLOCK, compares=True)
def near_search_incomplete(table: Table) -> Iterator[Finding]:
    """So many pairs of rows are nearly the same that the search stopped: a near leak may be among the pairs that it did not reach.

    With thousands of rows of one template, pairs grow with their square, and the search stops at five million. This finding has no rows
    to leave out: remove some rows of the largest templates from the file, or accept it with a reason.
    """
    if not table.near().complete:
        yield Finding(
            f"more than {MOST_PAIRS:,} pairs of rows are nearly the same; not every near row was found",
            "remove some of the rows that follow the same template and audit again, or accept it with a reason",
            (),
        )
