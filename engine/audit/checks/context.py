"""Rows that the model cannot read whole."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example


@check("context", severity=Severity.WARN)
def rows_too_long_to_score(table: Table) -> Iterator[Finding]:
    """Eval rows whose prompt and answer do not fit the model's context: they stay, and count as truncated where they are."""
    yield from _too_long(table, table.eval, "eval", "shorten them, or choose a base with a longer context")


@check("context-train", severity=Severity.WARN, always_leaves_out=True)
def rows_too_long_to_train(table: Table) -> Iterator[Finding]:
    """Rows whose prompt and answer do not fit the model's context: their answer would be cut, so they are left out instead."""
    yield from _too_long(table, table.examples, "to learn from", "shorten them, or choose a base with a longer context")


def _too_long(table: Table, examples: list[Example], which: str, action: str) -> Iterator[Finding]:
    lengths = table.lengths
    if lengths is None:
        return
    rows = tuple(row for e in examples if (row := _row(e, lengths)) is not None)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row', 'rows')} {which} {several(count, 'does', 'do')} not fit {lengths.context} tokens",
            action,
            rows,
        )


def _row(example: Example, lengths: TokenLengths) -> Row | None:
    prompt, answer = lengths.prompt(example), lengths.answer(example)
    over = prompt + answer - lengths.context
    if over <= 0:
        return None
    return Row(example.source, note=f"prompt {prompt} tokens, answer {answer}: {over} too many")
