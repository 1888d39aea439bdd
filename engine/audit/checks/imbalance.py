"""Check: one label with far more rows than others."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.label_names import Outputs, label_counts, label_reader
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table

UNEVEN = 10
"""How many times the rows of the rarest label the most frequent label must have to be reported."""

MOSTLY = 0.75
"""The share of rows from which a label is reported, however many rows the others have."""


@check("imbalance", severity=Severity.INFO)
def uneven_labels(table: Table) -> Iterator[Finding]:
    """One label with far more rows than others: a model that always gives this label scores well without any skill.

    Reported if the most frequent label has ten times the rows of the rarest, or is the label of three in four rows. The finding says how
    many rows the most frequent output alone gets right: the score to beat. Only if the outputs are labels.
    """
    reader = label_reader(table)
    if reader is None:
        return
    counts = label_counts(table, reader)
    if len(counts) < 2:
        return
    (most, often), (least, seldom) = counts.most_common()[0], counts.most_common()[-1]
    if often < UNEVEN * seldom and often < MOSTLY * table.count(Size).examples:
        return
    yield Finding(
        f"`{most}` has {often:,} rows, `{least}` has {seldom:,}, the median label {median(counts.values()):,.0f}; " + _score_to_beat(table),
        "judge by each label's own recall, not by accuracy alone; add rows of the rare labels",
        (),
    )


def _score_to_beat(table: Table) -> str:
    """How many rows the most frequent output of the examples gets right: eval rows if there are any."""
    output, times = table.count(Outputs).counts.most_common(1)[0]
    size = table.count(Size)
    if size.eval:
        right = sum(example.output.strip() == output for example in table.eval)
        return f"always answering `{output}` is right in {right / size.eval:.1%} of the eval rows"
    return f"always answering `{output}` is right in {times / size.examples:.1%} of the rows"
