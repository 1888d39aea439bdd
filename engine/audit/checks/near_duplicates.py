"""Rows that are nearly the same: told apart from equal ones, and found by an exact join that is made once for all checks."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.near.settings import MOST_PAIRS
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source, norm


@check("near-leakage", severity=Severity.BLOCK, compares=True)
def nearly_leaked_rows(table: Table) -> Iterator[Finding]:
    """Rows to learn from that are nearly an eval row: the score would measure memory as much as skill.

    Near means that of all runs of three words (or five characters) in the two inputs at least 80 % are in both. Every such row is found,
    and every one that is told has been compared. Rows with another output than the eval row come first.
    """
    if not table.eval:
        return
    near = table.near()
    rows = []
    for found in near.examples_near_eval():
        learned, scored = table.examples[found.row], table.eval[found.of - len(table.examples)]
        # Equal rows are told by the check for leakage.
        if table.examples.duplicate[found.row] == table.eval.duplicate[found.of - len(table.examples)]:
            continue
        differs = norm(learned.output) != norm(scored.output)
        said = f", and eval says {quoted(scored.output)}" if differs else ""
        rows.append((not differs, -found.jaccard, Row(learned.source, of=scored.source, note=f"{found.jaccard:.0%} alike{said}")))
    if rows:
        rows.sort(key=lambda row: row[:2])
        count, contradicting = len(rows), sum(not same for same, _, _ in rows)
        told = f", {contradicting} with another output" if contradicting else ""
        yield Finding(
            f"{count} {several(count, 'row is', 'rows are')} nearly an eval row{told}",
            "leave the rows to learn from out; the eval rows stay",
            tuple(row for _, _, row in rows),
        )


@check("near-incomplete", severity=Severity.BLOCK, compares=True)
def near_rows_not_all_found(table: Table) -> Iterator[Finding]:
    """So many pairs of rows are nearly the same that not all of them were found: a near leak may be among those that were not.

    Where thousands of rows follow one template, pairs grow with their square, and the search ends at five million. It has no rows to leave
    out: thin out the rows of the largest templates in the file, or accept it with a reason.
    """
    if not table.near().complete:
        yield Finding(
            f"more than {MOST_PAIRS:,} pairs of rows are nearly the same; not every near row was found",
            "thin out the rows that follow the same template in the file and audit again, or accept it with a reason",
            (),
        )


@check("near-duplicate", severity=Severity.WARN, compares=True)
def nearly_duplicate_rows(table: Table) -> Iterator[Finding]:
    """Rows to learn from that are nearly another one: what they say weighs double. The first row of each cluster is not among them.

    Near means that of all runs of three words (or five characters) in the two inputs at least 80 % are in both. Near is not equal: look
    before you leave rows out, a single word can turn the meaning.
    """
    rows = tuple(
        Row(table.examples[found.row].source, of=table.examples[found.of].source, note=f"{found.jaccard:.0%} alike")
        for found in table.near().dropped
        if table.examples.norm[found.row] != table.examples.norm[found.of]
    )
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row is', 'rows are')} nearly another row",
            "leave them out, or keep them on purpose",
            rows,
        )


@check("near-conflict", severity=Severity.INFO, compares=True)
def nearly_conflicting_rows(table: Table) -> Iterator[Finding]:
    """Rows to learn from that are nearly the same and have different labels: one of the two may be wrong, or a single word decides.

    For a person to look at; nothing is dropped because of it. Only where outputs are labels.
    """
    if label_reader(table) is None:
        return
    outputs = [norm(example.output) for example in table.examples]
    rows = tuple(
        Row(one.source, of=other.source, note=f"{found.jaccard:.0%} alike: {quoted(one.output, 80)} against {quoted(other.output, 80)}")
        for found in table.near().conflicts(outputs)
        # Equal inputs are told by the check for conflicts.
        if table.examples.norm[found.row] != table.examples.norm[found.of]
        for one, other in [(table.examples[found.row], table.examples[found.of])]
    )
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row is', 'rows are')} nearly another row with a different label",
            "look at both sides of each",
            rows,
        )


@check("boilerplate", severity=Severity.INFO, compares=True)
def shared_boilerplate(table: Table) -> Iterator[Finding]:
    """Text that many inputs share word for word, such as a preamble.

    It is set aside before rows are compared, or every row would look like every other.
    """
    whole = table.population
    for shared in table.near().boilerplate:
        rows = tuple(Row(source) for source in (holding(table, shared.text) if whole is None else whole.holding[shared.text]))
        yield Finding(
            f"{shared.rows} inputs share: {quoted(shared.text, 80)}{'…' if len(shared.text) > 80 else ''}",
            "if it says the same everywhere, make it the instruction",
            rows,
        )


def holding(table: Table, text: str) -> list[Source]:
    """The rows in whose prompt, under `norm`, a text stands."""
    return [example.source for part in table.parts for example, prompt in zip(part, part.norm, strict=True) if text in prompt]
