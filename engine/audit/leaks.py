"""Training rows that are also eval rows."""

from __future__ import annotations

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.rows import Rows


def leaked_rows(examples: Rows, eval_rows: Rows) -> tuple[FlaggedRow, ...]:
    """The examples whose prompt is also that of an eval row, each with the first such row; those with another output first."""
    if not eval_rows:
        return ()
    first: dict[str, int] = {}
    for at, key in enumerate(eval_rows.duplicate):
        first.setdefault(key, at)
    rows = []
    for example, key in zip(examples, examples.duplicate, strict=True):
        if key in first:
            twin = eval_rows[first[key]]
            differs = example.output.strip() != twin.output.strip()
            rows.append(FlaggedRow(example.source, of=twin.source, note=f"eval says {quoted(twin.output)}" if differs else ""))
    return tuple(sorted(rows, key=lambda row: not row.note))
