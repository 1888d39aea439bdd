"""Check: slots of a template in outputs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.template_slots import unfilled_slot
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import prompt_text


@check("unfilled-slot", severity=Severity.WARN)
def unfilled_slots(table: Table) -> Iterator[Finding]:
    """Outputs with a slot of a template that nobody filled in, such as "{{Order Number}}" or "[Your Name]": the model learns to write it.

    Outputs with code do not count, nor does a slot in square brackets that the prompt has too.
    """
    rows = tuple(
        FlaggedRow(e.source, note=f"output: {slot[:60]}")
        for e in chain(table.examples, table.eval)
        if (slot := unfilled_slot(prompt_text(e), e.output))
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'output has', 'outputs have')} a slot of a template that is not filled in",
            "fill in a value; keep them if whoever reads the answers fills the slots in; or leave these rows out",
            rows,
        )
