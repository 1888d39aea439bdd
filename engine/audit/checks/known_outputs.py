"""Check: eval outputs that stand word for word in train."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.outputs.skeletons import Skeletons, has_templates, is_structured
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Source

FEWEST_WORDS = 5
"""Words from which an output is no name, number or short phrase that answers many prompts."""

MANY = 0.2
"""The share of the eval rows from which the score says little about new answers."""


def _first_rows(table: Table) -> dict[str, Source]:
    """The first example with each of the long eval outputs."""
    wanted = {text for output in table.count(Skeletons).eval if _is_long(text := output.strip())}
    first: dict[str, Source] = {}
    for example in table.examples if wanted else ():
        output = example.output.strip()
        if output in wanted:
            first.setdefault(output, example.source)
    return first


def _rows_that_know(table: Table) -> Iterator[Source]:
    return iter(_first_rows(table).values())


@check("known-outputs", severity=Severity.INFO, compares=True, also_needs=_rows_that_know)
def known_outputs(table: Table) -> Iterator[Finding]:
    """Eval rows whose output stands word for word in train, for another prompt: the model can learn the answers by heart.

    A warning if a fifth of the eval rows are like this. Only for outputs of five words or more that are neither labels nor code or
    JSON, whose forms `template-leakage` compares, and for a separate eval file.
    """
    if not table.eval or label_reader(table) is not None or has_templates(table):
        return
    first = _first_rows(table)
    rows = tuple(FlaggedRow(e.source, of=first[text]) for e in table.eval if (text := e.output.strip()) in first)
    if rows:
        share = len(rows) / len(table.eval)
        yield Finding(
            f"{len(rows)} of {len(table.eval)} eval rows ({share:.0%}) {plural(len(rows), 'has', 'have')} an output that stands word for"
            " word in train",
            "look at the score of the other eval rows too; if new answers matter, use an eval file that asks for some",
            rows,
            severity=Severity.WARN if share >= MANY else None,
        )


def _is_long(output: str) -> bool:
    return len(output.split()) >= FEWEST_WORDS and not is_structured(output)
