"""Check: rows in another script than the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.scripts import script_of
from tuneproof.engine.audit.wording import plural

SHORTEST = 40
"""Characters from which a text is judged; shorter ones are names, formulas and foreign words."""

NEARLY_ALL = 0.9
"""The share of long texts that one script must have for the others to be strays; with less, several scripts are intended."""


@check("script", severity=Severity.INFO)
def other_scripts(table: Table) -> Iterator[Finding]:
    """Long inputs or outputs in another script than nearly all others, such as Cyrillic among Latin: often rows of another language.

    It recognises scripts, not languages: it does not see French among English. The script of a text of 40 or more characters is that of
    most of its letters. Inputs are compared with inputs, outputs with outputs.
    """
    notes: dict[int, str] = {}
    rows = list(chain(table.examples, table.eval))
    inputs, outputs = table.once(_scripts)
    counts = table.count(ScriptCounts)
    for name, scripts, all_scripts in (("input", inputs, counts.inputs), ("output", outputs, counts.outputs)):
        for at, note in _strays(scripts, all_scripts):
            notes[at] = f"{notes[at]}; {name}: {note}" if at in notes else f"{name}: {note}"
    found = tuple(FlaggedRow(rows[at].source, note=notes[at]) for at in sorted(notes))
    if found:
        yield Finding(
            f"{len(found)} {plural(len(found), 'row is', 'rows are')} in another script than the rest",
            "keep them if the model needs that script; or leave these rows out",
            found,
        )


@aggregate
@dataclass(frozen=True)
class ScriptCounts:
    """How many long inputs and outputs are in each script."""

    inputs: Counter[str]
    outputs: Counter[str]

    @classmethod
    def of(cls, table: Table) -> ScriptCounts:
        inputs, outputs = table.once(_scripts)
        return cls(Counter(filter(None, inputs)), Counter(filter(None, outputs)))

    def plus(self, later: ScriptCounts) -> ScriptCounts:
        return ScriptCounts(self.inputs + later.inputs, self.outputs + later.outputs)


def _scripts(table: Table) -> tuple[list[str], list[str]]:
    """The scripts of inputs and of outputs, by the number of the row; empty for short ones and those without letters."""
    rows = [*table.examples, *table.eval]
    return [_script(row.input) for row in rows], [_script(row.output) for row in rows]


def _script(text: str) -> str:
    return script_of(text) if len(text) >= SHORTEST else ""


def _strays(scripts: list[str], counts: Counter[str]) -> Iterator[tuple[int, str]]:
    if not counts:
        return
    usual, often = counts.most_common(1)[0]
    if often < NEARLY_ALL * counts.total():
        return
    yield from ((at, f"{script}, the others are {usual}") for at, script in enumerate(scripts) if script and script != usual)
