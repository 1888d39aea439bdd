"""Eval outputs that are an output to learn from with other values filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from zlib import crc32

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.output_inference import MAX_KEYS, MIN_MATCHING_SHARE

FEWEST_SKELETONS = 20
"""Fewer are the few forms that the task has, and not templates."""

LOOKED_AT = 200
"""Outputs that tell whether outputs are code: those of the rows with the smallest checksums of their places, so any row may be one."""

_STRING = r'"(?:[^"\\\n]|\\.)*+"' + r"|'(?:[^'\\\n]|\\.)*+'"
_KEY = re.compile(rf"({_STRING})\s*:")
_VALUES = re.compile(
    rf"((?:{_STRING})\s*:)|{_STRING}|(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)|\b(?:true|false|null|True|False|None)\b"
)

_SQL = re.compile(r"\s*(?:select|insert\s+into|update\s+\S+\s+set|delete\s+from|with\s+\w+\s+as|create\s+table)\b", re.IGNORECASE)
_CODE = re.compile(
    r"\s*(?:```|(?:def|class|function|import|from|const|let|var|#include|public|fn|func)\s+[\w<{.*]|[A-Za-z_][\w.]*\(.*\)\s*;?\s*$)"
)
_FORMULA = re.compile(r"(?=[^\n]*[=+*/^\\()<>])[-\w.+*/^=()<>,:;$\"'\\{}\[\]|&!%\s]+$")
_ADJOINING_WORDS = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}")


@aggregate
@dataclass(frozen=True)
class Forms:
    """Outputs to learn from that are looked at, by the checksum of the row's place; the first skeletons; and the outputs of eval rows."""

    looked_at: tuple[tuple[int, Source, str], ...]
    skeletons: frozenset[str]
    scored: frozenset[str]

    @classmethod
    def of(cls, table: Table) -> Forms:
        sums = ((crc32(f"{e.source.file}:{e.source.line}".encode()), e.source, e.output) for e in table.examples)
        looked_at = tuple(nsmallest(LOOKED_AT, sums))
        skeletons: set[str] = set()
        for output in dict.fromkeys(example.output for part in table.parts for example in part):
            if len(skeletons) == FEWEST_SKELETONS:
                break
            skeletons.add(skeleton(output))
        return cls(looked_at, frozenset(skeletons), frozenset(example.output for example in table.eval))

    def plus(self, later: Forms) -> Forms:
        skeletons = sorted(self.skeletons | later.skeletons)[:FEWEST_SKELETONS]
        looked_at = tuple(nsmallest(LOOKED_AT, self.looked_at + later.looked_at))
        return Forms(looked_at, frozenset(skeletons), self.scored | later.scored)

    @property
    def outputs(self) -> list[str]:
        """The outputs that are looked at."""
        return [output for _, _, output in self.looked_at]


def _templates(table: Table) -> Iterator[Source]:
    """The first row to learn from with each output and each skeleton that an eval row has."""
    if not _applies(table):
        return
    scored = table.count(Forms).scored
    forms = {skeleton(output) for output in scored}
    outputs: set[str] = set()
    found: set[str] = set()
    for output, example in _first_rows(table.examples).items():
        form = skeleton(output)
        if (output in scored and output not in outputs) or (form in forms and form not in found):
            yield example.source
            outputs.add(output)
            found.add(form)


@check("template-leakage", severity=Severity.INFO, compares=True, also=_templates)
def outputs_of_one_template(table: Table) -> Iterator[Finding]:
    """Eval rows whose output is built like one to learn from, with other values: the same query with another name or number in it.

    On such rows the score says how well the model fills in what it has seen; how it does on a new kind of query, only the other rows tell.
    Only for a separate eval file, where outputs are SQL, JSON, code or formulas, and only where they have twenty different skeletons or
    more (JSON: more than fifty different keys), so that a fixed form is not called a leak. The skeleton is the output without its numbers,
    quoted strings and JSON values.
    """
    if not _applies(table):
        return
    outputs = _first_rows(table.examples)
    learned: dict[str, Source] = {}
    for output, first in outputs.items():
        learned.setdefault(skeleton(output), first.source)
    scored = [skeleton(example.output) for example in table.eval]
    rows = tuple(Row(example.source, of=learned[form]) for example, form in zip(table.eval, scored, strict=True) if form in learned)
    if rows:
        literal = sum(example.output in outputs for example in table.eval)
        told = f", {literal} of them the very output" if literal else ""
        count = len(rows)
        yield Finding(
            f"{count} of {len(table.eval)} eval rows ({count / len(table.eval):.0%}) {several(count, 'has', 'have')} an output with the"
            f" skeleton of one to learn from{told}",
            "look at the score of the other eval rows too; if new kinds of output matter, take an eval file with templates of its own",
            rows,
        )


def skeleton(output: str) -> str:
    """The output with its quoted strings, numbers and JSON values replaced, white space and case aside; keys stay."""
    return " ".join(_VALUES.sub(r"\1?", output).casefold().split())


def is_structured(output: str) -> bool:
    """Whether an output is SQL, JSON, code or a formula, and not a sentence, a word or a number."""
    text = output.strip()
    if _begins_as_json(text) or _SQL.match(text) or _CODE.match(text):
        return True
    return bool(_FORMULA.match(text)) and not _ADJOINING_WORDS.search(text)


def _begins_as_json(text: str) -> bool:
    return text[:1] in ("{", "[") and text[-1:] in ("}", "]")


def _applies(table: Table) -> bool:
    """Whether there is a separate eval file, and outputs are structured and of more than a few forms."""
    size = table.count(Size)
    if not size.examples or not size.eval:
        return False
    forms = table.count(Forms)
    looked_at = forms.outputs
    structured = sum(map(is_structured, looked_at)) >= MIN_MATCHING_SHARE * len(looked_at)
    return structured and len(forms.skeletons) >= FEWEST_SKELETONS and not _is_one_schema(looked_at)


def _first_rows(rows: Rows) -> dict[str, Example]:
    """The first row of each output."""
    first: dict[str, Example] = {}
    for example in rows:
        first.setdefault(example.output, example)
    return first


def _is_one_schema(looked_at: Sequence[str]) -> bool:
    """Whether outputs are JSON of so few different keys that the different skeletons are one schema with parts that may be left out."""
    return (
        sum(_begins_as_json(text.strip()) for text in looked_at) >= MIN_MATCHING_SHARE * len(looked_at)
        and _different_keys(looked_at) <= MAX_KEYS
    )


def _different_keys(outputs: Iterable[str]) -> int:
    return len({key for output in outputs for key in _KEY.findall(output)})
