"""The rows under audit, with the texts by which they are compared made once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from tuneproof.engine.audit.counts import Tally
from tuneproof.engine.case.schema import LabelErrors
from tuneproof.engine.data.example import Example, Source, loose_of, norm, prompt_text
from tuneproof.engine.data.problems import RowProblem
from tuneproof.engine.scoring.judges import Judge

if TYPE_CHECKING:
    from tuneproof.engine.audit.near.table import NearTable
    from tuneproof.engine.audit.population import Population

Made = TypeVar("Made")
T = TypeVar("T", bound=Tally)

P = TypeVar("P", bound=RowProblem)


MOST_PAIRS = 5_000_000
"""Pairs of near rows at which the search for more ends."""


class Shingle(StrEnum):
    """What two near texts have in common: runs of three words, or runs of five characters."""

    W3 = "w3"
    C5 = "c5"

    @property
    def width(self) -> int:
        """How many words or characters stand in one run."""
        return 3 if self is Shingle.W3 else 5


@dataclass(frozen=True)
class Lengths:
    """A row as the chosen base reads it: its shortest prompt as text and in tokens, its answer with the end token in tokens.

    And the base itself: its name, the digest of its files, and the longest text it reads, in tokens.
    """

    render: Callable[[Example], str]
    prompt: Callable[[Example], int]
    answer: Callable[[Example], int]
    base: str
    sha256: str
    context: int


class Rows(list[Example]):
    """Examples that are not changed, and under the same numbers their prompts as they stand, under `norm` and under `loose`."""

    @cached_property
    def raw(self) -> list[str]:
        """Everything the model reads of each row."""
        return [prompt_text(example) for example in self]

    @cached_property
    def norm(self) -> list[str]:
        """The prompts under `norm`."""
        return [norm(text) for text in self.raw]

    @cached_property
    def loose(self) -> list[str]:
        """The prompts under `loose`."""
        return [loose_of(text) for text in self.norm]

    @cached_property
    def duplicate(self) -> list[str]:
        """What a row shares with its duplicates: `loose`, or `norm` where nothing but punctuation is left of it."""
        return [loose or norm for loose, norm in zip(self.loose, self.norm, strict=True)]

    def without(self, gone: Collection[Source]) -> Rows:
        """The rows that are not among those, with the texts that are made already."""
        kept = [at for at, example in enumerate(self) if example.source not in gone]
        rows = Rows(self[at] for at in kept)
        for made in {"raw", "norm", "loose", "duplicate"} & self.__dict__.keys():
            texts = self.__dict__[made]
            rows.__dict__[made] = [texts[at] for at in kept]
        return rows


@dataclass
class Table:
    """The rows under audit: those to learn from, those of a separate eval file, and those that could not be read.

    Where it holds only part of the rows, `is_part` is true; `population` then says what a check has to know of the whole, once it is known.
    """

    examples: Rows
    eval: Rows
    problems: list[tuple[Source, RowProblem]]
    judge: Judge | None = None
    lengths: Lengths | None = None
    shingle: Shingle = Shingle.W3
    label_errors: LabelErrors = LabelErrors.NEIGHBOURS
    gone: set[Source] = field(default_factory=set)
    near: NearTable | None = None
    joined: list[Source] = field(default_factory=list)
    """The join over these rows, once a check has asked for it."""
    is_part: bool = False
    population: Population | None = None
    _made: dict[Callable[[Table], object], object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.examples, self.eval = Rows(self.examples), Rows(self.eval)

    @property
    def parts(self) -> tuple[Rows, Rows]:
        """The rows to learn from, and the rows of a separate eval file."""
        return self.examples, self.eval

    def problems_of(self, kind: type[P]) -> list[tuple[Source, P]]:
        """The rows that make no example for a reason of one kind."""
        return [(source, problem) for source, problem in self.problems if isinstance(problem, kind)]

    def leave_out(self, rows: Iterable[Source]) -> None:
        """Takes rows out of the table, so that later checks see what is left."""
        self.gone.update(rows)
        self._made.clear()
        self.examples, self.eval = self.examples.without(self.gone), self.eval.without(self.gone)

    def once(self, make: Callable[[Table], Made]) -> Made:
        """What a function makes of the rows, made once until some are left out."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(Made, self._made[make])

    def count(self, kind: type[T]) -> T:
        """A tally over all rows: those of this table, or those of the whole of which it is a part."""
        return self.population.count(kind) if self.population else self.once(kind.of)


def groups(keys: Iterable[str]) -> Iterator[list[int]]:
    """The numbers of rows whose keys are equal, two or more each, in the order of their first rows."""
    first: dict[str, int] = {}
    more: dict[int, list[int]] = {}
    for at, key in enumerate(keys):
        stands = first.setdefault(key, at)
        if stands != at:
            more.setdefault(stands, [stands]).append(at)
    return (more[at] for at in sorted(more))
