"""Rows that say the same thing twice, and rows that say two things about the same input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from tuneproof.engine.audit.finding import Finding, Row, Severity, Table, check, several
from tuneproof.engine.data.example import Example, norm, prompt_text


def groups(examples: Iterable[Example], key: Callable[[str], str]) -> Iterator[list[Example]]:
    """Rows whose prompts are equal under a key, two or more each, in the order of the file."""
    found: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        found[key(prompt_text(example))].append(example)
    return (rows for rows in found.values() if len(rows) > 1)


def conflicting(examples: Iterable[Example], key: Callable[[str], str]) -> Iterator[list[Example]]:
    """Groups of equal prompts whose outputs differ by more than case and white space."""
    return (rows for rows in groups(examples, key) if len({norm(e.output) for e in rows}) > 1)


@check("conflict", severity=Severity.BLOCK)
def conflicting_outputs(table: Table) -> Iterator[Finding]:
    """The same input with two different outputs: whatever the model answers, one row calls it wrong.

    Compared after Unicode and white-space normalisation, with punctuation: "C++" is not "C".
    """
    rows = tuple(
        Row(
            e.source,
            of=next(o.source for o in group if norm(o.output) != norm(e.output)),
            note=e.output.strip()[:120],
        )
        for part in (table.examples, table.eval)
        for group in conflicting(part, norm)
        for e in group
    )
    if rows:
        yield Finding(
            f"{len(rows)} rows give different outputs for the same input",
            "keep the right row of each group; or leave these rows out",
            rows,
        )


@check("duplicate", severity=Severity.WARN)
def duplicate_inputs(table: Table) -> Iterator[Finding]:
    """Rows whose input stands there already, after Unicode and white-space normalisation: they weigh double and stay in one part."""
    rows = tuple(
        Row(e.source, of=group[0].source) for part in (table.examples, table.eval) for group in groups(part, norm) for e in group[1:]
    )
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row repeats', 'rows repeat')} an input",
            "delete the copies, or keep them on purpose",
            rows,
        )
