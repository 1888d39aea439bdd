"""Outputs that are not what the task asks for."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.near_miss import near_miss
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.scoring.judges import JsonJudge, Judge


@check("format", severity=Severity.BLOCK)
def outputs_off_format(table: Table) -> Iterator[Finding]:
    """Outputs that do not satisfy `task.output`: the model would learn the very drift it is tuned against, or be judged by a wrong key."""
    if table.judge is None:
        return
    rows = []
    for example in [*table.examples, *table.eval]:
        problem = table.judge.problem(example.output)
        if problem:
            rows.append(Row(example.source, note=_told(table.judge, example.output, problem)))
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'output is', 'outputs are')} not what task.output asks for",
            "mend the outputs or task.output; or leave these rows out",
            tuple(rows),
        )


def _told(judge: Judge, output: str, problem: str) -> str:
    """The problem, and which near miss it is where JSON was asked for."""
    missed = near_miss(output) if isinstance(judge, JsonJudge) else None
    return f"{missed}: {problem}" if missed else problem
