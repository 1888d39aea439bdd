"""The aggregates that checks register, and the number of rows, which most of them need."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.audit.table import A, Aggregate, Table

FREQUENT = 0.05
"""Share of the outputs from which an answer such as "none" counts as intended."""

AGGREGATES: list[type[Aggregate]] = []


def aggregate(kind: type[A]) -> type[A]:
    """Registers a count over the rows that are left; an audit over shards makes it on each shard and adds them up."""
    AGGREGATES.append(kind)
    return kind


@aggregate
@dataclass(frozen=True)
class Size:
    """The number of examples, and of rows of a separate eval file."""

    examples: int
    eval: int

    @classmethod
    def of(cls, table: Table) -> Size:
        return cls(len(table.examples), len(table.eval))

    def plus(self, later: Size) -> Size:
        return Size(self.examples + later.examples, self.eval + later.eval)

    @property
    def rows(self) -> int:
        """The rows of both."""
        return self.examples + self.eval


def fewest_frequent(rows: int) -> float:
    """The number of rows from which an answer is frequent. An answer that occurs once never is."""
    return max(2.0, FREQUENT * rows)
