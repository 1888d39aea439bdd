"""Check: outputs that do not have the format that the task asks for."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.outputs.json_faults import json_fault
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.json_grader import JsonGrader


@check("format", severity=Severity.BLOCK)
def outputs_off_format(table: Table) -> Iterator[Finding]:
    """Outputs that do not satisfy `task.output`: in training they teach a wrong format, in eval they are wrong references.

    An output on which the pattern of the task takes too long is one of them.
    """
    if table.grader is None:
        return
    rows = []
    for example in [*table.examples, *table.eval]:
        try:
            problem = table.grader.problem(example.output)
        except CaseError as error:
            raise CaseError(f"{error.what}, the last of them at {example.source}", where=error.where, fix=error.fix) from None
        if problem:
            rows.append(FlaggedRow(example.source, note=_note(table.grader, example.output, problem)))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'output is', 'outputs are')} not what the task asks for",
            "fix the outputs, or the output format of the task; or leave these rows out",
            tuple(rows),
        )


def _note(grader: Grader, output: str, problem: str) -> str:
    """The problem, after the fault in the JSON if JSON was asked for and the output is nearly that."""
    fault = json_fault(output) if isinstance(grader, JsonGrader) else None
    return f"{fault}: {problem}" if fault else problem
