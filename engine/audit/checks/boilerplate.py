"""Check: text that many inputs share."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table


@check("boilerplate", severity=Severity.INFO, compares=True)
def shared_boilerplate(table: Table) -> Iterator[Finding]:
    """Text that many inputs share word for word, such as a preamble.

    It is removed before rows are compared, because otherwise every row would look like every other.
    """
    population = table.population
    for shared in table.near().boilerplate:
        sources = population.containing[shared.text] if population else [s for part in table.parts for s in part.containing(shared.text)]
        yield Finding(
            f"{shared.rows} inputs share: {quoted(shared.text, 80)}{'…' if len(shared.text) > 80 else ''}",
            "if it says the same everywhere, make it the instruction",
            tuple(FlaggedRow(source) for source in sources),
        )
