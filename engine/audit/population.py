"""What checks must know about all rows when a table holds only some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tuneproof.engine.data.example import Source

if TYPE_CHECKING:
    from tuneproof.engine.audit.near.boilerplate import Boilerplate, BoilerplateRules

A = TypeVar("A")


@dataclass(frozen=True)
class Population:
    """The aggregates over all rows, the boilerplate that was decided over all, and whether every near row is in the table."""

    aggregates: Mapping[type, object]
    boilerplate_rules: BoilerplateRules | None = None
    boilerplate: tuple[Boilerplate, ...] = ()
    containing: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    """The rows that contain each piece of boilerplate, by its text."""
    near_complete: bool = True

    def count(self, kind: type[A]) -> A:
        """The aggregate of that kind."""
        found = self.aggregates[kind]
        assert isinstance(found, kind)
        return found
