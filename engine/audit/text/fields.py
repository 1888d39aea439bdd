"""A walk over every text field of every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example

Look = Callable[[str, str], str]
"""Takes the name of a field and its text, and returns what is wrong with it; empty if nothing is."""


def rows_with(table: Table, look: Look) -> tuple[FlaggedRow, ...]:
    """The rows in which `look` finds something wrong, in the input, output, instruction, system text or an earlier turn.

    An instruction or system text that many rows share is looked at once.
    """
    rows = []
    shared: dict[tuple[str, str], str] = {}
    for example in chain(table.examples, table.eval):
        wrong = look("input", example.input)
        in_output = look("output", example.output)
        if in_output:
            wrong = f"{wrong}; {in_output}" if wrong else in_output
        if example.instruction or example.system or example.history or example.tool_use:
            wrong = "; ".join(filter(None, (wrong, *_in_other_fields(example, look, shared))))
        if wrong:
            rows.append(FlaggedRow(example.source, note=wrong))
    return tuple(rows)


def _in_other_fields(example: Example, look: Look, shared: dict[tuple[str, str], str]) -> Iterator[str]:
    for name, text in (("instruction", example.instruction), ("system", example.system)):
        known = shared.get((name, text))
        if known is None:
            known = look(name, text)
            # If there are many different ones, they are not shared, and not worth remembering.
            if len(shared) < 1000:
                shared[name, text] = known
        yield known
    for number, turn in enumerate(example.history, start=1):
        yield look(f"turn {number}", turn.text)
    for number, turn in enumerate(example.turns_after_input, start=len(example.history) + 2):
        yield look(f"turn {number}", turn.text)
