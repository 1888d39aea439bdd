"""Rows in another script than the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table

SHORTEST = 40
"""Characters from which on a text is long enough: shorter ones are names, formulas and foreign words."""

NEARLY_ALL = 0.9
"""The share of long texts that one script must have for the others to be strays; below, several scripts are meant."""

_SCRIPTS = {
    name: re.compile(f"[{ranges}]")
    for name, ranges in (
        ("Latin", "A-Za-z\xaa\xba\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff"),
        ("Cyrillic", "\u0400-\u052f"),
        ("Greek", "\u0370-\u03ff\u1f00-\u1fff"),
        ("Arabic", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc"),
        ("Hebrew", "\u0590-\u05ff"),
        ("Han or kana", "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
        ("Hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
        ("Devanagari", "\u0900-\u0963\u0966-\u097f"),
        ("Bengali", "\u0980-\u09ff"),
        ("Gurmukhi", "\u0a00-\u0a7f"),
        ("Gujarati", "\u0a80-\u0aff"),
        ("Odia", "\u0b00-\u0b7f"),
        ("Tamil", "\u0b80-\u0bff"),
        ("Telugu", "\u0c00-\u0c7f"),
        ("Kannada", "\u0c80-\u0cff"),
        ("Malayalam", "\u0d00-\u0d7f"),
        ("Sinhala", "\u0d80-\u0dff"),
        ("Thai", "\u0e00-\u0e7f"),
        ("Lao", "\u0e80-\u0eff"),
        ("Tibetan", "\u0f00-\u0fff"),
        ("Burmese", "\u1000-\u109f"),
        ("Georgian", "\u10a0-\u10ff\u1c90-\u1cbf"),
        ("Ethiopic", "\u1200-\u137f"),
        ("Khmer", "\u1780-\u17ff"),
        ("Armenian", "\u0530-\u058f"),
    )
}
_LATIN = _SCRIPTS["Latin"]
_BEYOND_LATIN = re.compile("[\u0370-\u1dff\u1f00-\u1fff\u3041-\ud7af\uf900-\ufdff\ufe70-\ufefc\U00020000-\U0003ffff]")


@check("script", severity=Severity.INFO)
def other_scripts(table: Table) -> Iterator[Finding]:
    """Long inputs or outputs in another script than nearly all the others, such as Cyrillic among Latin: often rows of another language.

    It tells scripts, not languages: French among English is not seen. A text of 40 or more characters has the script of most of its
    letters; inputs are compared with inputs, outputs with outputs.
    """
    notes: dict[int, str] = {}
    rows = list(chain(table.examples, table.eval))
    inputs, outputs = table.once(_scripts)
    counts = table.count(Scripts)
    for name, scripts, all_ in (("input", inputs, counts.inputs), ("output", outputs, counts.outputs)):
        for at, note in _strays(scripts, all_):
            notes[at] = f"{notes[at]}; {name}: {note}" if at in notes else f"{name}: {note}"
    found = tuple(Row(rows[at].source, note=notes[at]) for at in sorted(notes))
    if found:
        count = len(found)
        yield Finding(
            f"{count} {several(count, 'row is', 'rows are')} in another script than the rest",
            "keep them if the model is to read and write it; or leave these rows out",
            found,
        )


@aggregate
@dataclass(frozen=True)
class Scripts:
    """In how many long inputs and outputs each script stands."""

    inputs: Counter[str]
    outputs: Counter[str]

    @classmethod
    def of(cls, table: Table) -> Scripts:
        inputs, outputs = table.once(_scripts)
        return cls(Counter(inputs.values()), Counter(outputs.values()))

    def plus(self, later: Scripts) -> Scripts:
        return Scripts(self.inputs + later.inputs, self.outputs + later.outputs)


def _scripts(table: Table) -> tuple[dict[int, str], dict[int, str]]:
    """The scripts of long inputs, and of long outputs, by the number of the row."""
    inputs, outputs = (
        {at: script for at, text in enumerate(texts) if len(text) >= SHORTEST and (script := script_of(text))}
        for texts in ([e.input for part in table.parts for e in part], [e.output for part in table.parts for e in part])
    )
    return inputs, outputs


def _strays(scripts: dict[int, str], counts: Counter[str]) -> Iterator[tuple[int, str]]:
    if not counts:
        return
    usual, often = counts.most_common(1)[0]
    if often < NEARLY_ALL * counts.total():
        return
    yield from ((at, f"{script}, the others are {usual}") for at, script in scripts.items() if script != usual)


def script_of(text: str) -> str:
    """The script of most of the letters of a text; nothing where it has no letters of a script known here."""
    if text.isascii() or not _BEYOND_LATIN.search(text):
        return "Latin" if _LATIN.search(text) else ""
    counts = Counter({name: len(letters.findall(text)) for name, letters in _SCRIPTS.items()})
    script, count = counts.most_common(1)[0]
    return script if count else ""
