"""Check: training rows that are nearly the same as another row."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tuneproof.engine.audit.courtesy import BUT_FOR_COURTESY, courtesy_keys
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("near-duplicate", severity=Severity.WARN, compares=True)
def near_duplicates(table: Table) -> Iterator[Finding]:
    """Training rows that are nearly the same as another row: their content counts double. The first row of each cluster is not listed.

    Near means that the two inputs share at least 80 % of all their runs of three words (or five characters). Near is not equal: look at
    rows before you leave them out, because a single word can change the meaning. Short inputs are also compared without words of
    courtesy and articles.
    """
    dropped = table.near().dropped
    near = [
        FlaggedRow(table.examples[found.row].source, of=table.examples[found.of].source, note=f"similarity {found.jaccard:.0%}")
        for found in dropped
        if table.examples.norm[found.row] != table.examples.norm[found.of]
    ]
    courteous = list(_equal_but_for_courtesy(table, {found.row for found in dropped}))
    rows = (*near, *courteous)
    if rows:
        courtesy = f", {len(courteous)} {BUT_FOR_COURTESY}" if courteous else ""
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row is', 'rows are')} nearly the same as another row{courtesy}",
            "leave them out, or keep them on purpose",
            rows,
        )


def _equal_but_for_courtesy(table: Table, found: Collection[int]) -> Iterator[FlaggedRow]:
    """The other examples that equal an earlier one but for words of courtesy and articles."""
    first: dict[str, int] = {}
    for row, key in enumerate(courtesy_keys(table)[: len(table.examples)]):
        of = row if key is None else first.setdefault(key, row)
        # The checks for conflicts and duplicates find equal inputs.
        if of != row and row not in found and table.examples.duplicate[row] != table.examples.duplicate[of]:
            yield FlaggedRow(table.examples[row].source, of=table.examples[of].source, note=BUT_FOR_COURTESY)
