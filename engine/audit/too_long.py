"""Rows that do not fit the context of the base model."""

from __future__ import annotations

from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.data.example import Example


def rows_too_long(rows: Rows, lengths: TokenLengths | None) -> tuple[FlaggedRow, ...]:
    """The rows whose prompt and answer have more tokens than the context; none if no base model is chosen."""
    return tuple(row for example in rows if (row := _flagged(example, lengths))) if lengths else ()


def _flagged(example: Example, lengths: TokenLengths) -> FlaggedRow | None:
    prompt, answer = lengths.prompt(example), lengths.answer(example)
    over = prompt + answer - lengths.context
    return FlaggedRow(example.source, note=f"prompt {prompt} tokens, answer {answer}: {over} too many") if over > 0 else None
