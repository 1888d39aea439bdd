"""Conversations whose turns are out of order or empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, pairwise

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.problems import WrongTurns

MAY_FOLLOW = {"": ("user",), "user": ("assistant",), "assistant": ("user", "tool"), "tool": ("tool", "assistant")}
"""Who may speak after whom; nobody has spoken before the first turn. One turn may call several tools, and each of them answers."""


@check("turns", severity=Severity.WARN, always_leaves_out=True)
def turns_without_an_answer(table: Table) -> Iterator[Finding]:
    """Conversations that lead to no answer: the last turn is not the assistant's, nothing was asked before it, a role that nobody knows.

    Also a system turn in the middle, which templates refuse or move to the start, before turns that were spoken without it. Such rows
    are left out.
    """
    problems = table.problems_of(WrongTurns)
    if problems:
        count = len(problems)
        yield Finding(
            f"{count} {several(count, 'conversation leads', 'conversations lead')} to no answer that can be learned",
            "end each with a user's turn and the assistant's, with the system's turn before all others",
            tuple(Row(source, note=problem.told) for source, problem in problems),
        )


@check("turn-order", severity=Severity.WARN)
def turns_out_of_order(table: Table) -> Iterator[Finding]:
    """Conversations in which one speaks twice in a row, or in which the assistant speaks first: many chat templates refuse them.

    The answer can still be learned. An assistant's turn, a tool's and the assistant's again are in order.
    """
    rows = _rows(table, _out_of_order)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'conversation has', 'conversations have')} turns out of order",
            "join turns that belong together, put in what is missing, or leave these rows out",
            rows,
        )


@check("empty-turn", severity=Severity.WARN)
def empty_turns(table: Table) -> Iterator[Finding]:
    """Conversations with an empty turn before the last question: a reply that was lost, or a call of a tool without its words."""
    rows = _rows(table, _empty)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'conversation has', 'conversations have')} an empty turn",
            "fill the turn in, or delete it together with the turn that it answers",
            rows,
        )


def _rows(table: Table, look: Callable[[Example], str]) -> tuple[Row, ...]:
    return tuple(Row(e.source, note=note) for e in chain(*table.parts) if e.history and (note := look(e)))


def _out_of_order(example: Example) -> str:
    roles = ["", *(message.role for message in example.history), "user"]
    wrong = [
        (number, before, role) for number, (before, role) in enumerate(pairwise(roles), start=1) if role not in MAY_FOLLOW.get(before, ())
    ]
    if not wrong:
        return ""
    number, before, role = wrong[0]
    told = f"turn {number} is the {role}'s, after the {before}'s" if before else f"the {role} speaks first"
    return told + (f"; {len(wrong) - 1} more are out of order" if len(wrong) > 1 else "")


def _empty(example: Example) -> str:
    empty = [number for number, message in enumerate(example.history, start=1) if not message.content.strip()]
    return f"empty: turn {', '.join(map(str, empty))} of {len(example.history) + 2}" if empty else ""
