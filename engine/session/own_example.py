"""A row of the user's own data, short enough to stand as the example of what a question or a field is about."""

from __future__ import annotations

from tuneproof.engine.run.artifacts import DataFacts

REQUEST, ANSWER = 70, 60
"""Characters of the row that are shown."""


def own_example(found: DataFacts | None) -> str | None:
    """The first row in a line; None before the data is read."""
    rows = [row for row in found.rows if row.request and row.answer] if found is not None else []
    return f"{_short(rows[0].request, REQUEST)} → {_short(rows[0].answer, ANSWER)}" if rows else None


def _short(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
