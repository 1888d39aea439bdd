"""Check: conversations whose last answer is not the one that is learned."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.notes import SkippedTurns, UnansweredTurns


@check("skipped-turns", severity=Severity.INFO)
def skipped_turns(table: Table) -> Iterator[Finding]:
    """Conversations that end in turns which the data say not to learn (`weight: 0` of OpenAI): the last other answer is the output.

    What follows that answer is neither shown to the model nor learned.
    """
    for note, rows in table.notes_of(SkippedTurns):
        yield Finding(
            f"{len(rows):,} {plural(len(rows), 'conversation ends', 'conversations end')} in an answer that is not to be learned "
            f"(`{note.key}`): the answer before it is the output",
            "nothing, if that is meant; else remove the key",
            tuple(map(FlaggedRow, rows)),
        )
    for _, rows in table.notes_of(UnansweredTurns):
        yield Finding(
            f"{len(rows):,} {plural(len(rows), 'conversation has a turn', 'conversations have turns')} of the assistant that "
            "answer no turn of the user: they are no examples",
            "nothing, if the assistant speaks first; else put the turns in order",
            tuple(map(FlaggedRow, rows)),
        )
