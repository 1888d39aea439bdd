"""The groups among the examples that a split by rows would tear apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.groups.fields import ROWS_A_VALUE, GroupFields, are_groups
from tuneproof.engine.audit.groups.openings import Openings
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.groups import Grouping

LEAST_SHARE = 0.02
"""The share of the rows that must have another row of their group: fewer move a score by less than its interval."""

ENOUGH_GROUPS = 20
"""Groups from which a split by them comes near the shares that it should have."""

FEWEST_FILES = 10


@dataclass(frozen=True)
class FoundGroups:
    """A way to group the rows, as `data.split.group_by` names it."""

    group_by: str
    rows: int
    """The rows that share their group with another."""
    groups: int
    """The groups of two rows or more."""


@aggregate
@dataclass(frozen=True)
class Files:
    """How many examples each file has."""

    examples: Counter[str]

    @classmethod
    def of(cls, table: Table) -> Files:
        return cls(Counter(example.source.file for example in table.examples))

    def plus(self, later: Files) -> Files:
        return Files(self.examples + later.examples)


def groups_of(table: Table) -> list[FoundGroups]:
    """The ways to group the examples, the one to split by first.

    That is the one that joins most rows; of several, the one with the larger groups, because the smaller ones are mostly inside them, as
    long as there are enough groups to split.
    """
    fewest = max(2.0, LEAST_SHARE * table.count(Size).examples)
    found = [each for each in (*_by_field(table), *_by_opening(table)) if each.rows >= fewest]
    if not found:
        found = [each for each in _by_file(table) if each.rows >= fewest]
    return sorted(found, key=lambda each: (each.groups < ENOUGH_GROUPS, -each.rows, each.groups, each.group_by))


def _by_field(table: Table) -> Iterator[FoundGroups]:
    fields = table.count(GroupFields).examples
    for name in sorted(fields.names & fields.values.keys()):
        groups = fields.values[name].groups
        several = groups.counts[groups.counts > 1]
        if are_groups(name, groups.total(), len(groups)) and len(groups) > 1:
            yield FoundGroups(name, int(several.sum()), len(several))


def _by_opening(table: Table) -> Iterator[FoundGroups]:
    openings = table.count(Openings)
    if not openings.any_history:
        return
    # An opening that many rows have is a worked example in the prompt, not a conversation.
    found = openings.examples.among(openings.continued)
    several = found.counts[(found.counts > 1) & (found.counts <= ROWS_A_VALUE)]
    yield FoundGroups(Grouping.FIRST_TURNS, int(several.sum()), len(several))


def _by_file(table: Table) -> Iterator[FoundGroups]:
    files = table.count(Files).examples
    if len(files) >= FEWEST_FILES and files.total() <= ROWS_A_VALUE * len(files):
        several = [rows for rows in files.values() if rows > 1]
        yield FoundGroups(Grouping.FILE, sum(several), len(several))
