"""All rows, as a table that holds only some of them has to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tuneproof.engine.audit.counts import Tally

if TYPE_CHECKING:
    from tuneproof.engine.audit.near.boilerplate import Pieces, Shared
    from tuneproof.engine.data.example import Source

T = TypeVar("T", bound=Tally)


@dataclass(frozen=True)
class Population:
    """What is counted over all rows, the boilerplate that is decided over all, and whether every near row is in the table.

    `holding` has the rows in which each piece of boilerplate stands, by its text.
    """

    tallies: Mapping[type[Tally], Tally]
    pieces: Pieces | None = None
    shared: tuple[Shared, ...] = ()
    holding: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    near_complete: bool = True

    def count(self, kind: type[T]) -> T:
        """The tally of that kind."""
        found = self.tallies[kind]
        assert isinstance(found, kind)
        return found
