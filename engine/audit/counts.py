"""What checks count over all rows before they can name some; made of a table, or put together from parts of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from tuneproof.engine.audit.table import Table


class Tally(Protocol):
    """A count over rows: that of two parts is the sum of theirs, whatever the size of the parts, as long as they stay in order."""

    @classmethod
    def of(cls, table: Table, /) -> Self: ...

    def plus(self, later: Self, /) -> Self: ...


T = TypeVar("T", bound=Tally)

TALLIES: list[type[Tally]] = []


def tally(kind: type[T]) -> type[T]:
    """Registers what some check counts over the rows that are left; nothing else has to know of it."""
    TALLIES.append(kind)
    return kind


@tally
@dataclass(frozen=True)
class Size:
    """How many rows there are to learn from, and how many of a separate eval file."""

    learned: int
    scored: int

    @classmethod
    def of(cls, table: Table) -> Size:
        return cls(len(table.examples), len(table.eval))

    def plus(self, later: Size) -> Size:
        return Size(self.learned + later.learned, self.scored + later.scored)

    @property
    def rows(self) -> int:
        """The rows of both."""
        return self.learned + self.scored
