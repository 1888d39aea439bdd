"""Check: conversations with an empty turn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example


@check("empty-turn", severity=Severity.WARN)
def empty_turns(table: Table) -> Iterator[Finding]:
    """Conversations with an empty turn before the last question: a lost reply, or a tool call without its text."""
    rows = tuple(FlaggedRow(e.source, note=note) for e in chain(*table.parts) if e.history and (note := _empty(e)))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'conversation has', 'conversations have')} an empty turn",
            "fill the turn in, or delete it together with the turn that it answers",
            rows,
        )


def _empty(example: Example) -> str:
    empty = [number for number, message in enumerate(example.history, start=1) if not message.content.strip()]
    return f"empty: turn {', '.join(map(str, empty))} of {len(example.history) + 2}" if empty else ""
