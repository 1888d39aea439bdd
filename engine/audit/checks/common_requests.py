"""Check: short, common requests that are in train and in eval."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.common_requests import common_requests
from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import listed, plural


@check("common-requests", severity=Severity.INFO, compares=True)
def common_requests_in_both_parts(table: Table) -> Iterator[Finding]:
    """Requests of at most three words that train and eval share, and that are common: "thank you" is no leak, users will write it again.

    A short request is common if train and eval have three rows of it or more, or if its label would lose a fifth of its training rows
    with the short requests that are shared. Such rows stay, and the finding says which part of the score they are.
    """
    common = table.once(common_requests)
    if not common.examples:
        return
    rows, cases, size = len(common.examples), len(common.eval), table.count(Size)
    texts = dict.fromkeys(table.examples[at].input.strip() for at in common.examples)
    yield Finding(
        f"{cases} of {size.eval} eval rows ({cases / size.eval:.1%} of the score) have a short, common request that {rows} training "
        f"{plural(rows, 'row has', 'rows have')} too: {listed((quoted(text, 40) for text in texts), 3)}",
        "nothing: users will write them again; look at the score of the other eval rows too",
        tuple(FlaggedRow(table.examples[at].source, of=table.eval[of].source) for at, of in common.examples.items()),
    )
