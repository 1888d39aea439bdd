"""Check: placeholders in the place of text."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.placeholders import candidates, intended_outputs, placeholder_note
from tuneproof.engine.audit.wording import plural


@check("placeholder", severity=Severity.WARN)
def placeholders(table: Table) -> Iterator[Finding]:
    """Inputs or outputs that only say that there is no text, such as "<noinput>", "N/A", "todo", "???" or "lorem ipsum".

    The model learns to expect or to write them. An output such as "none" is an answer and not a placeholder if it is one of the labels,
    or if at least 5 % of the outputs are the same.
    """
    intended = intended_outputs(table)
    noted = [(candidate, placeholder_note(candidate, intended)) for candidate in table.once(candidates)]
    rows = tuple(FlaggedRow(candidate.example.source, note=note) for candidate, note in noted if note)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row has', 'rows have')} a placeholder where text should be",
            "replace each with the real text, or with nothing if no input is needed; or leave these rows out",
            rows,
        )
