"""Check: training rows that are nearly the same as an eval row."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import norm


@check("near-leakage", severity=Severity.BLOCK, compares=True)
def near_leakage(table: Table) -> Iterator[Finding]:
    """Training rows that are nearly the same as an eval row: the score would measure memory as well as skill.

    Near means that the two inputs share at least 80 % of all their runs of three words (or five characters). The search finds every such
    row and compares each pair exactly. Rows with another output than the eval row come first.
    """
    if not table.eval:
        return
    rows = []
    for found in table.near().examples_near_eval():
        at = found.of - len(table.examples)
        example, twin = table.examples[found.row], table.eval[at]
        if table.examples.duplicate[found.row] == table.eval.duplicate[at]:
            # The check for leakage finds equal rows.
            continue
        differs = norm(example.output) != norm(twin.output)
        note = f"similarity {found.jaccard:.0%}" + (f", and eval says {quoted(twin.output)}" if differs else "")
        rows.append((not differs, -found.jaccard, FlaggedRow(example.source, of=twin.source, note=note)))
    if rows:
        rows.sort(key=lambda row: row[:2])
        count, contradicting = len(rows), sum(not same for same, _, _ in rows)
        others = f", {contradicting} with another output" if contradicting else ""
        yield Finding(
            f"{count} training {plural(count, 'row is', 'rows are')} nearly the same as an eval row{others}",
            "leave the training rows out; the eval rows stay",
            tuple(row for _, _, row in rows),
        )
