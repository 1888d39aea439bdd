"""Check: outputs that go on with a second task."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.second_task import second_task
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import prompt_text

IS_THE_FORM = 0.2
"""If more than this share of all rows go on like this, it is the form of the answers."""


@check("second-task", severity=Severity.WARN)
def second_tasks(table: Table) -> Iterator[Finding]:
    """Outputs that answer, and then go on with another question and its answer, as generated data does where a model did not stop.

    The model learns to ask itself. A row counts if a line such as "Question:" or "### Input:" stands after the answer, and one such as
    "Answer:" after that, unless the prompt asks for questions, examples or a dialogue. If more than a fifth of all rows are like this, it
    is their form: there is no finding.
    """
    rows = tuple(
        FlaggedRow(e.source, note=f"after the answer: {heading}")
        for e in chain(table.examples, table.eval)
        if (heading := second_task(prompt_text(e), e.output))
    )
    if rows and len(rows) <= max(1, IS_THE_FORM * table.count(Size).rows):
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'output goes', 'outputs go')} on with a second task after the answer",
            "cut them off where the answer ends; or leave these rows out",
            rows,
        )
