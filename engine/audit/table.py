"""The table that checks look at: examples, eval rows, rows that could not be read, and what is computed once for all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar, cast

from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.near.table import NearTable, Ways, compared_texts, join_part, join_rows, only_inputs_differ, ways_of_asking
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.texts import TextsOf
from tuneproof.engine.case.data import LabelErrorMethod
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.notes import RowNote, RowNotes
from tuneproof.engine.data.problems import RowProblem
from tuneproof.engine.scoring.grade import Grader

Made = TypeVar("Made")
P = TypeVar("P", bound=RowProblem)
N = TypeVar("N", bound=RowNote)


class Aggregate(Protocol):
    """A count over rows that checks need: the aggregate of two consecutive parts is the sum of theirs."""

    @classmethod
    def of(cls, table: Table, /) -> Self: ...

    def plus(self, later: Self, /) -> Self: ...


A = TypeVar("A", bound=Aggregate)


@dataclass
class Table:
    """The rows under audit: the examples, the rows of a separate eval file, and those that could not be read.

    A table may hold only part of the rows (`is_part`). Then `population` says what checks must know about all rows, once that is known.
    """

    examples: Rows
    eval: Rows
    problems: list[tuple[Source, RowProblem]]
    grader: Grader | None = None
    lengths: TokenLengths | None = None
    shingle: Shingle = Shingle.W3
    label_errors: LabelErrorMethod = LabelErrorMethod.NEIGHBOURS
    group_by: str | None = None
    """How the case keeps rows together in the split."""
    by_hand: tuple[Source, ...] = ()
    """The rows that the case leaves out one by one."""
    notes: RowNotes = field(default_factory=RowNotes)
    """What the user should know of how rows were read."""
    gone: set[Source] = field(default_factory=set)
    """The rows that have been left out."""
    is_part: bool = False
    population: Population | None = None
    was_counted: bool = False
    """Whether somebody asked for a count over all rows, or for anything else that is made of all of them."""
    _made: dict[Callable[[Table], object], object] = field(default_factory=dict)
    _near: NearTable | None = None

    def __post_init__(self) -> None:
        self.examples, self.eval = (part if isinstance(part, Rows) else Rows(part) for part in (self.examples, self.eval))

    def watch(self, on_rows: Callable[[int, int], None] | None) -> None:
        """From now on, every pass through the rows calls `on_rows` with how many are done, and of how many."""
        self.examples.on_rows = self.eval.on_rows = on_rows

    @property
    def parts(self) -> tuple[Rows, Rows]:
        """The examples, and the rows of a separate eval file."""
        return self.examples, self.eval

    def problems_of(self, kind: type[P]) -> list[tuple[Source, P]]:
        """The rows that could not be read because of one kind of problem."""
        return [(source, problem) for source, problem in self.problems if isinstance(problem, kind)]

    def notes_of(self, kind: type[N]) -> list[tuple[N, list[Source]]]:
        """The notes of one kind, each with its rows that are still in the table."""
        noted = [(note, [row for row in rows if row not in self.gone] if self.gone else rows) for note, rows in self.notes.of(kind)]
        return [(note, rows) for note, rows in noted if rows]

    def leave_out(self, rows: Iterable[Source]) -> None:
        """Takes rows out of the table, so that later checks see what is left."""
        self.gone.update(rows)
        self._made.clear()
        self.examples, self.eval = self.examples.without(self.gone), self.eval.without(self.gone)

    def once(self, make: Callable[[Table], Made]) -> Made:
        """The result of a function of this table, computed once until rows are left out."""
        self.was_counted = True
        if make not in self._made:
            self._made[make] = make(self)
        return cast(Made, self._made[make])

    def count(self, kind: type[A]) -> A:
        """The aggregate over all rows: those of this table, or those of the population that it is part of."""
        self.was_counted = True
        return self.population.count(kind) if self.population else self.once(kind.of)

    def compared_texts(self) -> TextsOf:
        """The texts by which near rows are found, examples first."""
        return compared_texts(self.examples, self.eval, inputs_alone=self.count(AllRows).inputs_alone)

    def near(self) -> NearTable:
        """The near-duplicate join of the rows that are left: computed once, and narrowed when rows are left out."""
        if self._near is None:
            self._near = self._join()
        elif len(self._near.sources) != len(self.examples) + len(self.eval):
            self._near = self._near.without(self.gone)
        return self._near

    def _join(self) -> NearTable:
        whole, inputs_alone = self.population, self.count(AllRows).inputs_alone
        if whole is None or whole.boilerplate_rules is None:
            return join_rows(self.examples, self.eval, self.shingle, inputs_alone=inputs_alone)
        part = join_part(self.examples, self.eval, self.shingle, whole.boilerplate_rules, inputs_alone=inputs_alone)
        return part.within(list(whole.boilerplate), complete=whole.near_complete)


@dataclass(frozen=True)
class AllRows:
    """The rows before any is left out: the number of examples, and the ways of asking that occur, at most two of them."""

    examples: int
    ways: Ways

    @classmethod
    def of(cls, table: Table) -> AllRows:
        return cls(len(table.examples), ways_of_asking(*table.parts))

    def plus(self, later: AllRows) -> AllRows:
        return AllRows(self.examples + later.examples, frozenset(list(self.ways | later.ways)[:2]))

    @property
    def inputs_alone(self) -> bool:
        """Whether rows differ in their inputs alone."""
        return only_inputs_differ(self.ways)
