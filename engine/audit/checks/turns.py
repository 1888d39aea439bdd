"""Check: conversations that do not end with an answer."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.problems import BadTurns


@check("turns", severity=Severity.WARN, always_leaves_out=True)
def turns_without_an_answer(table: Table) -> Iterator[Finding]:
    """Conversations without an answer to train on: the last turn is not the assistant's, no question comes before it, or a role is unknown.

    Also conversations with a system turn in the middle, which chat templates refuse or move to the start. Such rows are always left out.
    """
    rows = tuple(FlaggedRow(source, note=problem.message) for source, problem in table.problems_of(BadTurns))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'conversation has', 'conversations have')} no answer to train on",
            "end each with a user turn and an assistant turn, and put the system turn first",
            rows,
        )
