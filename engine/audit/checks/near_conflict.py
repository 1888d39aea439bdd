"""Check: training rows that are nearly the same and have different labels."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example, norm


@check("near-conflict", severity=Severity.INFO, compares=True)
def near_conflicts(table: Table) -> Iterator[Finding]:
    """Training rows that are nearly the same and have different labels: one label may be wrong, or a single word decides.

    Look at both rows of each pair. Only if the outputs are labels.
    """
    if label_reader(table) is None:
        return
    outputs = [norm(example.output) for example in table.examples]
    rows = tuple(
        _pair(table.examples[found.row], table.examples[found.of], found.jaccard)
        for found in table.near().conflicts(outputs)
        # The check for conflicts finds equal inputs.
        if table.examples.norm[found.row] != table.examples.norm[found.of]
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row is', 'rows are')} nearly the same as another row, with a different label",
            "look at both rows of each pair",
            rows,
        )


def _pair(one: Example, other: Example, jaccard: float) -> FlaggedRow:
    return FlaggedRow(
        one.source, of=other.source, note=f"similarity {jaccard:.0%}: {quoted(one.output, 80)} against {quoted(other.output, 80)}"
    )
