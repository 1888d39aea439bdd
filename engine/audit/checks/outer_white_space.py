"""Check: white space at the ends of inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("outer-white-space", severity=Severity.INFO)
def outer_white_space(table: Table) -> Iterator[Finding]:
    """White space before or after an input or output: to the model, " yes" and "yes" are two different texts.

    Harmless if every row has it. If only some rows have it, the model learns both.
    """
    rows = tuple(
        FlaggedRow(e.source, note=note)
        for e in chain(table.examples, table.eval)
        if e.input.strip() != e.input or e.output.strip() != e.output
        if (note := "; ".join(filter(None, (_at_the_ends("input", e.input), _at_the_ends("output", e.output)))))
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row has', 'rows have')} white space at the ends of the input or output",
            "remove it, or keep it if it is intended",
            rows,
        )


def _at_the_ends(field: str, text: str) -> str:
    before, after = text.lstrip() != text, text.rstrip() != text
    # A text of nothing but white space is empty and has no ends.
    if not (before or after) or not text.strip():
        return ""
    return f"{field}: {'at both ends' if before and after else 'at its start' if before else 'at its end'}"
