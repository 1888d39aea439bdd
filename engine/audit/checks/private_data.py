"""Check: private data of persons in rows."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.pii.private_data import find_private_data, may_have_private_data
from tuneproof.engine.audit.pii.scan import scan_rows
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("private-data", severity=Severity.WARN)
def private_data(table: Table) -> Iterator[Finding]:
    """E-mail addresses, phone, card and account numbers, IP addresses and national numbers of persons: a model can repeat them to anyone.

    Card, account and most national numbers are verified by their check digits. Private data is shown masked, here and on the card.
    """
    found = scan_rows([*table.examples, *table.eval], may_have_private_data, find_private_data)
    if found.rows:
        count = len(found.rows)
        yield Finding(
            f"{count} {plural(count, 'row contains', 'rows contain')} private data: {found}",
            "replace it with placeholders such as [EMAIL]; or leave these rows out",
            found.rows,
        )
