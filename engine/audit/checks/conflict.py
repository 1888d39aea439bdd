"""Check: equal inputs with different outputs."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.outputs.prose import are_prose
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.rows import Rows, conflicting_groups
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import norm


@check("conflict", severity=Severity.BLOCK, compares=True)
def conflicting_outputs(table: Table) -> Iterator[Finding]:
    """The same input with two different outputs: whatever the model answers, one row counts it as wrong.

    Inputs are compared after Unicode and white-space normalisation, with punctuation: "C++" is not "C". Where outputs are prose, two
    replies can both be right: then this is for information, and blocks nothing.
    """
    rows = tuple(row for part in table.parts for group in conflicting_groups(part, part.norm) for row in _contradictions(part, group))
    if rows and are_prose(table):
        yield Finding(
            f"{len(rows)} rows give different replies to the same request, which is no contradiction in prose",
            "nothing, if all replies are good; a metric that compares texts counts only the reply of each eval row as right",
            rows,
            severity=Severity.INFO,
        )
    elif rows:
        yield Finding(
            f"{len(rows)} rows give different outputs for the same input",
            "keep the right row of each group; or leave these rows out",
            rows,
        )


def _contradictions(rows: Rows, group: list[int]) -> Iterator[FlaggedRow]:
    """Every row of a group, each with the first row that has another output."""
    outputs = {at: norm(rows[at].output) for at in group}
    other = next(at for at in group if outputs[at] != outputs[group[0]])
    for at in group:
        against = other if outputs[at] == outputs[group[0]] else group[0]
        yield FlaggedRow(rows[at].source, of=rows[against].source, note=quoted(rows[at].output))
