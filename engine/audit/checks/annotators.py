"""Check: rows that several people answered differently."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.notes import Disagreement


@check("annotators", severity=Severity.WARN)
def annotators_disagree(table: Table) -> Iterator[Finding]:
    """Rows of a labelling tool to which people gave different answers: the answer of most is the output, or else the first.

    Where people disagree, a model that gives the other answer is not clearly wrong.
    """
    for note, rows in table.notes_of(Disagreement):
        taken = "the answer that most gave is taken" if note.by_majority else "no answer was given most often, and the first is taken"
        yield Finding(
            f"{len(rows):,} {plural(len(rows), 'row was', 'rows were')} answered differently by several people: {taken}",
            "decide which answer is right, or leave the rows out",
            tuple(map(FlaggedRow, rows)),
        )
