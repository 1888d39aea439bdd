"""Labels that the model sees too seldom, far more often than others, or not at all before it is scored on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import median

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.label_names import LabelReader, Outputs, label_reader
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.scoring.judges import ChoiceJudge

RARE = 5
"""Below this many rows a label is hardly learned, and hardly scored: one wrong answer moves its recall by more than 20 points."""

UNEVEN = 10
"""From this many times the rows of the rarest label on, the most frequent one is worth a word."""

MOSTLY = 0.75
"""From this share of rows on, one label is worth a word whatever the others have."""

NAMED = 5
"""How many labels a sentence names before it says how many more there are."""


@check("rare-label", severity=Severity.WARN)
def rare_labels(table: Table) -> Iterator[Finding]:
    """Labels with fewer than 5 rows to learn from: too few to learn what they mean, and the model will hardly ever answer with them.

    Where the task names its choices, those without any row count too. Only where the outputs are labels.
    """
    reader = label_reader(table)
    if reader is None:
        return
    counts = _counts(table, reader)
    choices = table.judge.choices if isinstance(table.judge, ChoiceJudge) else list(counts)
    # An output that is none of the choices is for the format check to name.
    rare = {label: counts[label] for label in choices if counts[label] < RARE}
    if not rare:
        return
    rows = [
        Row(example.source, note=", ".join(f"`{label}`: {rare[label]} {several(rare[label], 'row', 'rows')}" for label in found))
        for example in table.examples
        if (found := [label for label in reader.labels(example.output) if label in rare])
    ]
    count = len(rare)
    yield Finding(
        f"{count} {several(count, 'label has', 'labels have')} fewer than {RARE} rows to learn from: {_named(rare)}",
        "add rows of these labels, or merge them into others; a score of so few rows says little",
        tuple(rows),
    )


@check("imbalance", severity=Severity.INFO)
def uneven_labels(table: Table) -> Iterator[Finding]:
    """One label with far more rows than others: a model that always gives this label looks good and has learned nothing.

    Told where the most frequent label has ten times the rows of the rarest or stands in three of four rows, with the share of rows that
    always giving the most frequent output gets right: the score to beat. Only where the outputs are labels.
    """
    reader = label_reader(table)
    if reader is None:
        return
    counts = _counts(table, reader)
    if len(counts) < 2:
        return
    (most, often), (least, seldom) = counts.most_common()[0], counts.most_common()[-1]
    if often < UNEVEN * seldom and often < MOSTLY * table.count(Size).examples:
        return
    yield Finding(
        f"`{most}` stands in {often:,} rows, `{least}` in {seldom:,}, a label in the middle in {median(counts.values()):,.0f}; "
        + _always_the_same(table),
        "judge by each label's own recall, not by accuracy alone; add rows of the rare labels",
        (),
    )


@check("unseen-label", severity=Severity.WARN)
def unseen_labels(table: Table) -> Iterator[Finding]:
    """Eval rows whose label no row to learn from has: the model cannot know it, so these rows count as wrong whatever it learned.

    Often a spelling of its own in the eval file. Only where the outputs are labels, and for a separate eval file.
    """
    reader = label_reader(table) if table.eval else None
    if reader is None:
        return
    known = set(_counts(table, reader))
    unseen: Counter[str] = Counter()
    rows = []
    for example in table.eval:
        new = [label for label in reader.labels(example.output) if label not in known]
        if new:
            unseen.update(new)
            rows.append(Row(example.source, note=f"no row to learn from has {_listed(f'`{label[:80]}`' for label in new)}"))
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} eval {several(count, 'row has', 'rows have')} a label that no row to learn from has: {_named(unseen)}",
            "add rows of these labels to learn from, mend their spelling, or leave the eval rows out",
            tuple(rows),
        )


def _counts(table: Table, reader: LabelReader) -> Counter[str]:
    """The labels with the number of rows to learn from that name each; every different output is read once."""
    counts: Counter[str] = Counter()
    for output, times in table.count(Outputs).counts.items():
        for label in reader.labels(output):
            counts[label] += times
    return counts


def _always_the_same(table: Table) -> str:
    """What always giving the output that is most frequent among the rows to learn from gets right, in eval where there is one."""
    output, times = table.count(Outputs).counts.most_common(1)[0]
    size = table.count(Size)
    if size.eval:
        right = sum(example.output.strip() == output for example in table.eval)
        return f"always answering `{output}` is right in {right / size.eval:.1%} of the eval rows"
    return f"always answering `{output}` is right in {times / size.examples:.1%} of the rows"


def _named(counts: dict[str, int]) -> str:
    """The first labels with their numbers of rows, the rarest first, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: (item[1], item[0]))
    return _listed(f"`{label[:80]}` {count}" for label, count in ordered)


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
