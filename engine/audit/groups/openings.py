"""How conversations open: the first request that is no greeting, with its answer, counted over all rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.groups import once_a_conversation, opening_of


@aggregate
@dataclass(frozen=True)
class Openings:
    """How often conversations open in each way, and the first eval row of each opening."""

    examples: DigestCounts
    eval: DigestCounts
    first: Mapping[str, Source]
    continued: DigestCounts
    """The openings of rows with a history: those that more turns follow."""
    any_history: bool
    """Whether there are conversations at all."""

    @classmethod
    def of(cls, table: Table) -> Openings:
        any_history = any(example.history for part in table.parts for example in part)
        # Another part of the data may have conversations that open as rows of this part do.
        examples, eval_rows = table.parts if any_history or table.is_part else ((), ())
        first: dict[str, Source] = {}
        for example in eval_rows:
            if (opening := opening_of(example)) is not None:
                first.setdefault(opening, example.source)
        continued = _counts(e for part in table.parts for e in part if e.history)
        return cls(_counts(examples), _counts(eval_rows), first, continued, any_history)

    def plus(self, later: Openings) -> Openings:
        return Openings(
            self.examples.plus(later.examples),
            self.eval.plus(later.eval),
            {**later.first, **self.first},
            self.continued.plus(later.continued),
            self.any_history or later.any_history,
        )


def _counts(rows: Iterable[Example]) -> DigestCounts:
    return DigestCounts.of(opening for example in once_a_conversation(rows) if (opening := opening_of(example)) is not None)
