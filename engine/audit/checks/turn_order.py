"""Check: conversations whose turns are out of order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example

MAY_FOLLOW = {"": ("user",), "user": ("assistant",), "assistant": ("user", "tool"), "tool": ("tool", "assistant")}
"""The roles that may follow each role; the empty role is before the first turn. One turn may call several tools, which all answer."""


@check("turn-order", severity=Severity.WARN)
def turns_out_of_order(table: Table) -> Iterator[Finding]:
    """Conversations in which one role speaks twice in a row, or in which the assistant speaks first: many chat templates refuse them.

    The answer can still be trained on. An assistant turn, a tool turn and another assistant turn are in order.
    """
    rows = tuple(FlaggedRow(e.source, note=note) for e in chain(*table.parts) if e.history and (note := _out_of_order(e)))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'conversation has', 'conversations have')} turns out of order",
            "join turns that belong together, add missing turns, or leave these rows out",
            rows,
        )


def _out_of_order(example: Example) -> str:
    roles = ["", *(message.role for message in example.history), "user"]
    wrong = [
        (number, before, role) for number, (before, role) in enumerate(pairwise(roles), start=1) if role not in MAY_FOLLOW.get(before, ())
    ]
    if not wrong:
        return ""
    number, before, role = wrong[0]
    first = f"turn {number} is the {role}'s, after the {before}'s" if before else f"the {role} speaks first"
    return first + (f"; {len(wrong) - 1} more are out of order" if len(wrong) > 1 else "")
