"""Eval outputs that are an output to learn from with other values filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tuneproof.engine.audit.finding import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Rows, Table
from tuneproof.engine.scoring.drafting import MOST_KEYS, NEARLY_ALL

FEWEST_SKELETONS = 20
"""Fewer are the few forms that the task has, and not templates."""

LOOKED_AT = 200
"""Outputs that tell whether outputs are code, spread evenly over the rows."""

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


@check("template-leakage", severity=Severity.INFO)
def outputs_of_one_template(table: Table) -> Iterator[Finding]:
    """Eval rows whose output is built like one to learn from, with other values: the same query with another name or number in it.

    On such rows the score says how well the model fills in what it has seen; how it does on a new kind of query, only the other rows tell.
    Only for a separate eval file, where outputs are SQL, JSON, code or formulas, and only where they have twenty different skeletons or
    more (JSON: more than fifty different keys), so that a fixed form is not called a leak. The skeleton is the output without its numbers,
    quoted strings and JSON values.
    """
    if not table.examples or not table.eval or not _are_structured(table.examples):
        return
    outputs: dict[str, int] = {}
    for at, example in enumerate(table.examples):
        outputs.setdefault(example.output, at)
    learned: dict[str, int] = {}
    for output, at in outputs.items():
        learned.setdefault(skeleton(output), at)
    scored = [skeleton(example.output) for example in table.eval]
    if len(learned.keys() | set(scored)) < FEWEST_SKELETONS or _is_one_schema(table):
        return
    rows = tuple(
        Row(example.source, of=table.examples[learned[form]].source)
        for example, form in zip(table.eval, scored, strict=True)
        if form in learned
    )
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


def _are_structured(rows: Rows) -> bool:
    looked_at = _spread(rows)
    return sum(map(is_structured, looked_at)) >= NEARLY_ALL * len(looked_at)


def _spread(rows: Rows) -> Sequence[str]:
    return [example.output for example in rows[:: max(1, len(rows) // LOOKED_AT)]]


def _is_one_schema(table: Table) -> bool:
    """Whether outputs are JSON of so few different keys that the different skeletons are one schema with parts that may be left out."""
    looked_at = _spread(table.examples)
    return (
        sum(_begins_as_json(text.strip()) for text in looked_at) >= NEARLY_ALL * len(looked_at) and _different_keys(looked_at) <= MOST_KEYS
    )


def _different_keys(outputs: Iterable[str]) -> int:
    return len({key for output in outputs for key in _KEY.findall(output)})
