"""Auditing the same rows again after a decision about them: what was found before is used where the rows that a check sees are the same.

Every report equals that of a new audit. A check that compares or counts rows runs again on all rows that are left. Any other finds the same
rows in a part of the data as in all of it, so it runs again on the rows that it had found, and on those that were taken back in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tuneproof.engine.audit.checks import CHECKS, SPLIT_GROUPS
from tuneproof.engine.audit.left_out import BY_HAND, NO_SUCH_ROW
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.registry import Check, Finding
from tuneproof.engine.audit.report import Counts, Report
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.run_checks import audit, count_rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source

A = TypeVar("A")

KEPT = 4
"""Results that are kept of each check: the last, and those that undoing leads back to."""

Gone = frozenset[Source]


class RepeatedAudit:
    """The audit of one table, from which no rows are left out yet, for as many decisions as wanted."""

    def __init__(self, table: Table, shapes: Mapping[str, str]) -> None:
        self._table, self._shapes = table, shapes
        self._counts: Counts | None = None
        self._found: dict[str, dict[Gone, list[Finding]]] = {}
        self.counting: set[str] = {check.name for check in CHECKS.values() if check.compares}
        """The checks whose findings depend on more than each row by itself."""

    def report(
        self,
        leave_out: Sequence[str],
        accept: Mapping[str, str],
        on_check: Callable[[str], None] = lambda check: None,
        on_rows: Callable[[int, int], None] | None = None,
        *,
        group_by: str | None = None,
    ) -> Report:
        """The report of `audit` for these decisions; `on_check` is called for the checks that run again."""
        self._table.watch(on_rows)
        if self._counts is None:
            self._counts = count_rows(self._table)
        table = replace(self._table, gone=set(), _made={}, group_by=group_by)
        return audit(table, leave_out, self._shapes, accept, on_check, on_rows, find=_Finder(self).find, counts=self._counts)

    def found(self, check: Check) -> dict[Gone, list[Finding]]:
        """What a check has found, by the rows that were left out before it; the last result is the last one used."""
        return self._found.setdefault(check.name, {})

    def examples_of(self, wanted: set[Source]) -> tuple[list[Example], list[Example]]:
        """The examples and the eval rows of some sources, in their order."""
        examples, eval_rows = ([e for e in list.__iter__(part) if e.source in wanted] for part in self._table.parts)
        return examples, eval_rows

    @property
    def ever_found(self) -> set[Source]:
        """The rows that checks which do not compare have found or not seen."""
        results = [result for found in self._found.values() for result in found.items()]
        return {row.at for _, findings in results for finding in findings for row in finding.rows}.union(*(gone for gone, _ in results))


class _Finder:
    """How the checks of one audit come to their findings."""

    def __init__(self, audits: RepeatedAudit) -> None:
        self._audits = audits
        self._gone: Gone = frozenset()
        self._part: tuple[list[Example], list[Example]] | None = None

    def find(self, check: Check, table: Table, begin: Callable[[], None]) -> list[Finding]:
        """The findings of a check in a table: those of before, or those of a new run, which `begin` announces."""
        if check.name in (BY_HAND, NO_SUCH_ROW, SPLIT_GROUPS):
            # They depend on what is decided, and not on the rows alone.
            return list(check.find(table))
        if len(self._gone) != len(table.gone):
            self._gone = frozenset(table.gone)
        found = self._audits.found(check)
        if self._gone in found:
            findings = found.pop(self._gone)
        else:
            begin()
            earlier = next(reversed(found.items()), None)
            seen = table if earlier is None or check.name in self._audits.counting else self._changed(table, *earlier)
            seen.was_counted = False
            findings = list(check.find(seen))
            if seen.was_counted:
                self._audits.counting.add(check.name)
        found[self._gone] = findings
        while len(found) > KEPT:
            del found[next(iter(found))]
        return findings

    def _changed(self, table: Table, gone: Gone, findings: list[Finding]) -> Table:
        """The part of a table in which a check may find something now, when it had these findings without the rows in `gone`."""
        if self._part is None:
            self._part = self._audits.examples_of(self._audits.ever_found | gone)
        wanted = ({row.at for finding in findings for row in finding.rows} | gone) - self._gone
        examples, eval_rows = (Rows(e for e in part if e.source in wanted) for part in self._part)
        return replace(table, examples=examples, eval=eval_rows, is_part=True, population=_Whole({}, table=table), _made={}, _near=None)


@dataclass(frozen=True)
class _Whole(Population):
    """The population of which a table is a part, counted when a check asks for it."""

    table: Table | None = None

    def count(self, kind: type[A]) -> A:
        assert self.table is not None
        return self.table.count(kind)  # type: ignore[type-var]
