"""Rows that say the same thing twice, and rows that say two things about the same input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.rows import Rows, groups
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import norm


def conflicting(rows: Rows, keys: Sequence[str]) -> Iterator[list[int]]:
    """The numbers of rows with equal prompts whose outputs differ by more than case and white space."""
    return (group for group in groups(keys) if len({norm(rows[at].output) for at in group}) > 1)


@check("conflict", severity=Severity.BLOCK, compares=True)
def conflicting_outputs(table: Table) -> Iterator[Finding]:
    """The same input with two different outputs: whatever the model answers, one row calls it wrong.

    Compared after Unicode and white-space normalisation, with punctuation: "C++" is not "C".
    """
    found = [row for part in table.parts for group in conflicting(part, part.norm) for row in _contradictions(part, group)]
    if found:
        yield Finding(
            f"{len(found)} rows give different outputs for the same input",
            "keep the right row of each group; or leave these rows out",
            tuple(found),
        )


def _contradictions(rows: Rows, group: list[int]) -> Iterator[Row]:
    """Every row of a group beside the first that says something else."""
    said = {at: norm(rows[at].output) for at in group}
    other = next(at for at in group if said[at] != said[group[0]])
    for at in group:
        against = other if said[at] == said[group[0]] else group[0]
        yield Row(rows[at].source, of=rows[against].source, note=quoted(rows[at].output))


@check("duplicate", severity=Severity.WARN, compares=True)
def duplicate_inputs(table: Table) -> Iterator[Finding]:
    """Rows whose input stands there already, after Unicode and white-space normalisation: they weigh double and stay in one part."""
    rows = tuple(Row(part[at].source, of=part[group[0]].source) for part in table.parts for group in groups(part.norm) for at in group[1:])
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row repeats', 'rows repeat')} an input",
            "delete the copies, or keep them on purpose",
            rows,
        )
