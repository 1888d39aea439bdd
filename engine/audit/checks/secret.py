"""Check: keys, tokens and passwords in rows."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.pii.scan import scan_rows
from tuneproof.engine.audit.pii.secrets import find_secrets, may_have_secret
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("secret", severity=Severity.BLOCK)
def secrets(table: Table) -> Iterator[Finding]:
    """Keys, tokens and passwords: a model can repeat a key that it was trained on, to anyone who asks.

    Finds the formats that providers document (cloud, code hosting, chat, payment, model hosting, packages), private-key blocks, web
    tokens, URLs with a password, and values after names such as `password=`. Placeholders such as `your_password` do not count. Secrets
    are shown masked, here and on the card.
    """
    found = scan_rows([*table.examples, *table.eval], may_have_secret, find_secrets)
    if found.rows:
        count = len(found.rows)
        yield Finding(
            f"{count} {plural(count, 'row contains a secret', 'rows contain secrets')}: {found}",
            "revoke what is still valid, and replace it with a placeholder such as <api-key>; or leave these rows out",
            found.rows,
        )
