"""Check: eval outputs that are a training output with other values."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.outputs.skeletons import Skeletons, has_templates, skeleton
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example, Source

MANY = 0.5
"""The share of the eval rows with a known output from which the score says little about new ones."""


def _template_rows(table: Table) -> Iterator[Source]:
    """The first example with each output and with each skeleton that an eval row has."""
    if not has_templates(table):
        return
    eval_outputs = table.count(Skeletons).eval
    wanted = {skeleton(output) for output in eval_outputs}
    outputs: set[str] = set()
    found: set[str] = set()
    for output, example in _first_rows(table.examples).items():
        form = skeleton(output)
        if (output in eval_outputs and output not in outputs) or (form in wanted and form not in found):
            yield example.source
            outputs.add(output)
            found.add(form)


@check("template-leakage", severity=Severity.INFO, compares=True, also_needs=_template_rows)
def template_leakage(table: Table) -> Iterator[Finding]:
    """Eval rows whose output is a training output with other values, such as the same query with another name or number.

    On such rows the score shows how well the model fills in known templates; only the other rows show how it does on new ones. Only for a
    separate eval file, if outputs are SQL, JSON, code or formulas with twenty different skeletons or more (JSON: with more than fifty
    different keys), so that a fixed output format does not count as a leak. The skeleton of an output leaves out its numbers, quoted
    strings and JSON values. A warning if half of the eval outputs are training outputs as they stand.
    """
    if not has_templates(table):
        return
    outputs = _first_rows(table.examples)
    known: dict[str, Source] = {}
    for output, first in outputs.items():
        known.setdefault(skeleton(output), first.source)
    eval_skeletons = [skeleton(example.output) for example in table.eval]
    rows = tuple(
        FlaggedRow(example.source, of=known[form]) for example, form in zip(table.eval, eval_skeletons, strict=True) if form in known
    )
    if rows:
        count, literal = len(rows), sum(example.output in outputs for example in table.eval)
        equal = f", {literal} of them the very same output" if literal else ""
        yield Finding(
            f"{count} of {len(table.eval)} eval rows ({count / len(table.eval):.0%}) {plural(count, 'has', 'have')} an output with the"
            f" skeleton of a training output{equal}",
            "look at the score of the other eval rows too; if new kinds of output matter, use an eval file with other templates",
            rows,
            severity=Severity.WARN if literal >= MANY * len(table.eval) else None,
        )


def _first_rows(rows: Rows) -> dict[str, Example]:
    """The first row of each output."""
    first: dict[str, Example] = {}
    for example in rows:
        first.setdefault(example.output, example)
    return first
