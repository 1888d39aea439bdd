"""Check: HTML entities in plain text."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.fields import rows_with
from tuneproof.engine.audit.text.html_entities import html_entity
from tuneproof.engine.audit.wording import plural


@check("html-entities", severity=Severity.WARN)
def html_entities(table: Table) -> Iterator[Finding]:
    """HTML entities in plain text, such as "&amp;", "&quot;" or "&#39;": the model learns to write them, and reads them nowhere else.

    They stay when text is taken from a web page or an export. Text with HTML or XML tags does not count, nor does code in backticks.
    """
    rows = rows_with(table, html_entity)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row has', 'rows have')} HTML entities in plain text",
            "write the characters that they stand for, as Python's html.unescape does; or leave these rows out",
            rows,
        )
