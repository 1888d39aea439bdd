"""Training rows that are also eval rows."""

from __future__ import annotations

from collections.abc import Collection

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.rows import Rows


def leaked_rows(examples: Rows, eval_rows: Rows, apart_from: Collection[int] = ()) -> tuple[FlaggedRow, ...]:
    """The examples whose prompt is also that of an eval row, each with the first such row; those with another output first.

    Some examples, given by their positions, are no leak.
    """
    if not eval_rows:
        return ()
    rows = []
    for at, twin_at in examples.duplicate.first_in(eval_rows.duplicate).items():
        if at in apart_from:
            continue
        example, twin = examples[at], eval_rows[twin_at]
        differs = example.output.strip() != twin.output.strip()
        rows.append(FlaggedRow(example.source, of=twin.source, note=f"eval says {quoted(twin.output)}" if differs else ""))
    return tuple(sorted(rows, key=lambda row: not row.note))
