"""Check: characters that do not belong in text."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.fields import rows_with
from tuneproof.engine.audit.text.stray_characters import stray_characters
from tuneproof.engine.audit.wording import plural


@check("control-characters", severity=Severity.WARN)
def control_characters(table: Table) -> Iterator[Finding]:
    """Characters that are invisible or replace lost text: the model learns to write them, and the cause cannot be seen.

    Control characters, the replacement character � for bytes that could not be read, byte-order marks, marks that change the writing
    direction, soft hyphens and hidden zero-width characters. Joiners inside emoji and direction marks in Arabic or Hebrew text do not
    count.
    """
    rows = rows_with(table, stray_characters)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row has', 'rows have')} invisible or unreadable characters",
            "read the file again in its right encoding, or delete the characters; or leave these rows out",
            rows,
        )
