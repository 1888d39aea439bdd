"""The near-duplicate join of a table, made once, and kept right while rows are left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Message, norm

if TYPE_CHECKING:
    from tuneproof.engine.audit.near.boilerplate import Shared
    from tuneproof.engine.audit.near.clusters import Dropped, Near, NearRows


@dataclass(frozen=True)
class NearTable:
    """What is near to what among the rows to learn from, which come first, and the eval rows."""

    learned: int
    scored: int
    rows: NearRows
    boilerplate: list[Shared]

    def learned_near_eval(self) -> list[Near]:
        """The rows to learn from that have a near eval row, each with the nearest."""
        return self.rows.nearest(range(self.learned), range(self.learned, self.learned + self.scored))

    def eval_near_learned(self) -> list[Near]:
        """The eval rows that have a near row to learn from, each with the nearest."""
        return self.rows.nearest(range(self.learned, self.learned + self.scored), range(self.learned))

    @property
    def complete(self) -> bool:
        """Whether every near pair was found; where rows come from few templates there can be more pairs than a machine can hold."""
        return self.rows.pairs.complete

    def pairs(self) -> int:
        """How many pairs of rows to learn from are near."""
        return self.rows.pair_count(self.learned)

    @cached_property
    def dropped(self) -> list[Dropped]:
        """The rows to learn from to drop so that no near pair is left."""
        return self.rows.dropped(self.learned)

    def conflicts(self, outputs: list[str]) -> list[Near]:
        """Near rows to learn from that have different outputs."""
        return self.rows.conflicts(outputs)


def near_table(table: Table) -> NearTable:
    """The join over what is in the table now."""
    if table.near is None:
        table.near = _join(table)
        table.joined = [example.source for part in table.parts for example in part]
    elif len(table.joined) != len(table.examples) + len(table.eval):
        kept = [at for at, source in enumerate(table.joined) if source not in table.gone]
        table.near = replace(table.near, learned=len(table.examples), scored=len(table.eval), rows=table.near.rows.take(kept))
        table.joined = [table.joined[at] for at in kept]
    return table.near


@dataclass(frozen=True)
class Whole:
    """The rows before any was left out: how many there are to learn from, and in how many ways they are asked, as far as two."""

    learned: int
    asked: frozenset[tuple[str, str, tuple[Message, ...]]]

    @classmethod
    def of(cls, table: Table) -> Whole:
        asked = {(example.instruction, example.system, example.history) for part in table.parts for example in part}
        return cls(len(table.examples), frozenset(list(asked)[:2]))

    def plus(self, later: Whole) -> Whole:
        return Whole(self.learned + later.learned, frozenset(list(self.asked | later.asked)[:2]))

    @property
    def inputs_alone(self) -> bool:
        """Whether every row is asked in the same way, so that only the inputs tell rows apart."""
        return len(self.asked) == 1 and self.asked != {("", "", ())}


def compared(table: Table) -> tuple[list[str], list[str]]:
    """The texts that are compared, and the same under `norm`: the input alone where every row is asked in the same way."""
    if table.count(Whole).inputs_alone:
        raw = [example.input for part in table.parts for example in part]
        return raw, [norm(text) for text in raw]
    return table.examples.raw + table.eval.raw, table.examples.norm + table.eval.norm


def _join(table: Table) -> NearTable:
    # NumPy and SciPy take a third of a second to import, and the wizard imports the checks.
    from tuneproof.engine.audit.near.boilerplate import set_aside, take_out
    from tuneproof.engine.audit.near.clusters import near_rows

    raw, normalised = compared(table)
    learned, scored, whole = len(table.examples), len(table.eval), table.population
    if whole is None or whole.pieces is None:
        aside = set_aside(raw, normalised)
        return NearTable(learned, scored, near_rows(aside.texts, table.shingle), aside.shared)
    near = near_rows(take_out(whole.pieces, raw, normalised).texts, table.shingle)
    pairs = replace(near.pairs, complete=near.pairs.complete and whole.near_complete)
    return NearTable(learned, scored, replace(near, pairs=pairs), list(whole.shared))
