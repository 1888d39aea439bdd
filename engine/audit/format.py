"""Outputs that are not what the task asks for."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.finding import Finding, Row, Severity, Table, check, several


@check("format", severity=Severity.BLOCK)
def outputs_off_format(table: Table) -> Iterator[Finding]:
    """Outputs that do not satisfy `task.output`: the model would learn the very drift it is tuned against, or be judged by a wrong key."""
    if table.judge is None:
        return
    rows = []
    for example in [*table.examples, *table.eval]:
        problem = table.judge.problem(example.output)
        if problem:
            rows.append(Row(example.source, note=problem))
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'output is', 'outputs are')} not what task.output asks for",
            "mend the outputs or task.output; or leave these rows out",
            tuple(rows),
        )
