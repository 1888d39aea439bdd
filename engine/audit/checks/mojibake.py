"""Check: text that was read in the wrong encoding."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.fields import rows_with
from tuneproof.engine.audit.text.mojibake import garbled_text
from tuneproof.engine.audit.wording import plural


@check("mojibake", severity=Severity.WARN)
def mojibake(table: Table) -> Iterator[Finding]:
    """Text whose accents or quotes became pairs of strange letters, such as "cafÃ©" for "café": the model learns to write it like that.

    It comes from reading a UTF-8 file as if it were Latin-1 or Windows-1252. A row counts only if the strange letters, written back as
    bytes, are valid UTF-8.
    """
    rows = rows_with(table, garbled_text)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row was', 'rows were')} read in the wrong encoding",
            "create the file again from its source, read as UTF-8; or leave these rows out",
            rows,
        )
