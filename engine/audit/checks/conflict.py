"""Check: equal inputs with different outputs."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.outputs.prose import are_prose
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.rows import Rows, conflicting_groups
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Metric
from tuneproof.engine.data.example import norm
from tuneproof.engine.scoring.grade import Grader

EQUAL_IN = (Metric.EXACT_MATCH, Metric.CHOICE_ACCURACY, Metric.PATTERN_MATCH)
"""The metrics in which two outputs that are equal by the task's comparison score 1; a score of prose may be full for a part of a text."""


@check("conflict", severity=Severity.BLOCK, compares=True)
def conflicting_outputs(table: Table) -> Iterator[Finding]:
    """The same input with two different outputs: whatever the model answers, one row counts it as wrong.

    Inputs are compared after Unicode and white-space normalisation, with punctuation: "C++" is not "C". Outputs differ if the task scores
    one of them as wrong where the other is expected. Where they are prose, two replies can both be right: then this is for information,
    and blocks nothing.
    """
    groups = ((part, group) for part in table.parts for group in conflicting_groups(part, part.norm))
    rows = tuple(row for part, group in groups for row in _contradictions(part, group, table.grader))
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


def _contradictions(rows: Rows, group: list[int], grader: Grader | None) -> Iterator[FlaggedRow]:
    """Every row of a group, each with the first row that has another output; none if all outputs are equal for the task."""
    outputs = {at: rows[at].output for at in group}
    same = {at: _are_equal(outputs[at], outputs[group[0]], grader) for at in group}
    other = next((at for at in group if not same[at]), None)
    if other is None:
        return
    for at in group:
        against = other if same[at] else group[0]
        yield FlaggedRow(rows[at].source, of=rows[against].source, note=quoted(rows[at].output))


def _are_equal(output: str, other: str, grader: Grader | None) -> bool:
    if norm(output) == norm(other):
        return True
    if grader is None or any(grader.problem(text) is not None for text in (output, other)):
        return False
    scores = grader.grade(output, other).scores
    return any(scores.get(metric) == 1 for metric in EQUAL_IN)
