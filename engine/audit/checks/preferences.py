"""Check: rows that say which answers are preferred."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.case.route import ADVICE, Route
from tuneproof.engine.data.notes import PairKind, PreferencePair

WHAT_IS_LEARNED = {
    PairKind.BETTER_AND_WORSE: "have a chosen and a rejected answer: only the chosen one is learned",
    PairKind.GOOD_OR_BAD: "say that their answer is a good one: that others are worse is not learned",
}


@check("preferences", severity=Severity.WARN)
def preferences(table: Table) -> Iterator[Finding]:
    """Pairs of a chosen and a rejected answer (DPO), and answers that are marked as good or bad (KTO).

    What such data teach is which answers people prefer, and training on the good ones alone leaves that out. The route for it is alignment
    first: answer `decision.preference_problem` with true.
    """
    for note, rows in table.notes_of(PreferencePair):
        yield Finding(
            f"{len(rows):,} {plural(len(rows), 'row', 'rows')} {WHAT_IS_LEARNED[note.kind]}",
            f"set decision.preference_problem: true, for the route {Route.ALIGNMENT.value}: {ADVICE[Route.ALIGNMENT]} "
            f"Or accept this, to learn the good answers",
            tuple(map(FlaggedRow, rows)),
        )
