"""Check: slots of a template in the text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.template_slots import slot_in_braces, unfilled_slot
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example, prompt_text


@check("unfilled-slot", severity=Severity.WARN)
def unfilled_slots(table: Table) -> Iterator[Finding]:
    """Slots of a template that nobody filled in, such as "{{Order Number}}" or "[Your Name]": the model learns to read or to write them.

    In inputs those in braces count. Text with or about code does not count, nor does a slot in square brackets that output and prompt have.
    """
    rows = tuple(FlaggedRow(e.source, note=note) for e in chain(table.examples, table.eval) if (note := _note(e)))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row has', 'rows have')} a slot of a template that is not filled in",
            "fill in a value; keep them if whoever reads the answers fills the slots in; or leave these rows out",
            rows,
        )


def _note(example: Example) -> str:
    found = (("input", slot_in_braces(example.input)), ("output", unfilled_slot(prompt_text(example), example.output)))
    return "; ".join(f"{field}: {slot[:60]}" for field, slot in found if slot)
