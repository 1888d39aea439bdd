"""Check: outputs that say that there is nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tuneproof.engine.audit.counts import Size, aggregate, fewest_frequent
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import norm

EMPTY_ANSWERS = frozenset(
    (
        "[]",
        "{}",
        "()",
        '""',
        "''",
        "null",
        "none",
        "none.",
        "nil",
        "n/a",
        "not applicable",
        "nothing",
        "nothing.",
        "no answer",
        "-",
        "empty",
    )
)
"""Ways of answering with nothing, under `norm`."""

_LONGEST_EMPTY = 20


@aggregate
@dataclass(frozen=True)
class EmptyAnswers:
    """How often each explicit empty answer occurs, under `norm`."""

    counts: Counter[str]

    @classmethod
    def of(cls, table: Table) -> EmptyAnswers:
        counts: Counter[str] = Counter()
        for output, count in table.once(_empty_answers).items():
            counts[norm(output)] += count
        return cls(counts)

    def plus(self, later: EmptyAnswers) -> EmptyAnswers:
        return EmptyAnswers(self.counts + later.counts)


def _empty_answers(table: Table) -> dict[str, int]:
    """The outputs that are an explicit empty answer, as they are spelled, and how often each occurs."""
    counts = Counter(e.output for e in chain(table.examples, table.eval) if len(e.output) <= _LONGEST_EMPTY)
    return {output: count for output, count in counts.items() if norm(output) in EMPTY_ANSWERS}


@check("empty-on-purpose", severity=Severity.INFO)
def empty_on_purpose(table: Table) -> Iterator[Finding]:
    """Explicitly empty answers, such as "[]", "null" or "none", in at least 5 % of the rows. Please confirm them.

    The model learns to give empty answers equally often. That is right if a row has no answer, and wrong if its answer is missing.
    """
    counts = table.count(EmptyAnswers).counts
    total = table.count(Size).rows
    frequent = {answer for answer in EMPTY_ANSWERS if counts[answer] >= fewest_frequent(total)}
    spelled = {output for output in table.once(_empty_answers) if norm(output) in frequent}
    rows = tuple(FlaggedRow(e.source, note=e.output.strip()) for e in chain(table.examples, table.eval) if e.output in spelled)
    if rows:
        named = ", ".join(f"`{answer}`" for answer in sorted(frequent))
        yield Finding(
            f"{len(rows)} of {total} outputs are an explicit empty answer: {named}",
            "confirm that the right answer is empty there",
            rows,
        )
