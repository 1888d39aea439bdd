"""Check: labels of eval rows that no training row has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuneproof.engine.audit.label_names import label_counts, label_reader, listed_labels
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import listed, plural


@check("unseen-label", severity=Severity.WARN)
def unseen_labels(table: Table) -> Iterator[Finding]:
    """Eval rows whose label no training row has: the model cannot know it, so these rows count as wrong.

    Often the eval file spells a label differently. Only if the outputs are labels, and for a separate eval file.
    """
    reader = label_reader(table) if table.eval else None
    if reader is None:
        return
    known = set(label_counts(table, reader))
    unseen: Counter[str] = Counter()
    rows = []
    for example in table.eval:
        new = [label for label in reader.labels(example.output) if label not in known]
        if new:
            unseen.update(new)
            rows.append(FlaggedRow(example.source, note=f"no training row has {listed(f'`{label[:80]}`' for label in new)}"))
    if rows:
        yield Finding(
            f"{len(rows)} eval {plural(len(rows), 'row has', 'rows have')} a label that no training row has: {listed_labels(unseen)}",
            "add training rows of these labels, fix their spelling, or leave the eval rows out",
            tuple(rows),
        )
