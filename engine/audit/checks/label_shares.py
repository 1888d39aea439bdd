"""Check: labels whose shares differ between train and eval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.label_names import MOST_OUTPUTS, LabelReader, label_counts, label_reader
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import listed

LEAST_DISTANCE = 0.1
"""Total variation distance of two distributions of labels from which they differ: a tenth of the rows would need another label."""

CHANCE = 0.001
"""How rarely a difference this large may be chance, by the chi-square test of homogeneity."""

FEWEST_EXPECTED = 5.0
"""Rows of a label that must be expected in each part for the test; rarer labels are put together (Cochran 1954)."""

MOST_LISTED = 3
LEAST_LISTED = 0.01
"""The difference from which a label is listed, as a share of the rows."""


@aggregate
@dataclass(frozen=True)
class OutputsOfEval:
    """How often each output of the eval rows occurs, ignoring outer white space; empty if there are too many different ones."""

    counts: Counter[str]

    @classmethod
    def of(cls, table: Table) -> OutputsOfEval:
        return cls._bounded(Counter(text for example in table.eval if (text := example.output.strip())))

    def plus(self, later: OutputsOfEval) -> OutputsOfEval:
        return self._bounded(self.counts + later.counts)

    @classmethod
    def _bounded(cls, counts: Counter[str]) -> OutputsOfEval:
        return cls(counts if len(counts) <= MOST_OUTPUTS else Counter())


@check("label-shares", severity=Severity.WARN)
def label_shares(table: Table) -> Iterator[Finding]:
    """Labels whose shares differ between train and eval: one of the two is not what users will ask, and accuracy means another thing.

    Reported if a tenth of the rows would need another label for the shares to be equal, and chance would rarely make such a difference.
    Only if the outputs are labels, and for a separate eval file or the parts of a split.
    """
    reader = label_reader(table) if table.count(OutputsOfEval).counts else None
    if reader is None:
        return
    train, scored = label_counts(table, reader), _labels(table.count(OutputsOfEval).counts, reader)
    if not train or not scored or not _differ(train, scored):
        return
    rows, cases = train.total(), scored.total()
    gaps = {label: scored[label] / cases - train[label] / rows for label in train.keys() | scored.keys()}
    distance = sum(map(abs, gaps.values())) / 2
    if distance < LEAST_DISTANCE:
        return
    ordered = sorted(gaps, key=lambda label: (-round(abs(gaps[label]), 9), label))
    largest = [label for at, label in enumerate(ordered) if at == 0 or abs(gaps[label]) >= LEAST_LISTED]
    shares = [f"`{label[:80]}` is {train[label] / rows:.1%} of train and {scored[label] / cases:.1%} of eval" for label in largest]
    yield Finding(
        f"the shares of labels differ between train and eval by {distance:.0%} of the rows: {listed(shares, MOST_LISTED)}",
        "draw both parts from what users ask; else judge by each label's own recall, because accuracy follows the shares of eval",
        (),
    )


def _labels(outputs: Counter[str], reader: LabelReader) -> Counter[str]:
    counts: Counter[str] = Counter()
    for output, times in outputs.items():
        for label in reader.labels(output):
            counts[label] += times
    return counts


def _differ(one: Counter[str], other: Counter[str]) -> bool:
    """Whether chance would rarely make two samples of one distribution so different."""
    from scipy.special import chdtrc

    first, second = one.total(), other.total()
    smaller = min(first, second) / (first + second)
    rare = [label for label in one.keys() | other.keys() if (one[label] + other[label]) * smaller < FEWEST_EXPECTED]
    cells = [(one[label], other[label]) for label in one.keys() | other.keys() if label not in set(rare)]
    if rare:
        cells.append((sum(one[label] for label in rare), sum(other[label] for label in rare)))
    if len(cells) < 2:
        return False
    statistic = 0.0
    for ours, theirs in cells:
        share = (ours + theirs) / (first + second)
        statistic += (ours - share * first) ** 2 / (share * first) + (theirs - share * second) ** 2 / (share * second)
    return bool(chdtrc(len(cells) - 1, statistic) < CHANCE)
