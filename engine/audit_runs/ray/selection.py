"""Selecting the rows of a shard that go to the one machine where findings are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.near.boilerplate import BoilerplateRules, WithoutRules, boilerplate_of
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit_runs.ray.joins import POSITION_BITS
from tuneproof.engine.audit_runs.ray.shard import AuditRequest, ShardRows
from tuneproof.engine.data.example import Example, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Selection:
    """The rows of a shard that may be in a finding, and the boilerplate in the shard."""

    number: int
    """The number of the shard."""
    examples: list[Example]
    lines: Counter[str]
    """The number of rows from which each line was removed."""
    runs: Counter[int]
    """The number of rows from which each run of words was removed, by the number of the run."""
    containing: Mapping[str, tuple[Source, ...]]
    """The rows that contain each piece of boilerplate, by its text."""


def select_rows(
    rows: ShardRows, request: AuditRequest, population: Population, labels: frozenset[str], related: NDArray[np.int64]
) -> Selection:
    """The rows of a shard that checks find or need to see, and those in `related`; all rows of an eval file."""
    table = rows.table(request, population, labels)
    rules = population.boilerplate_rules or BoilerplateRules()
    lines, runs = WithoutRules(rules, table.compared_texts()).counted()
    number = {rows.rows[at][3]: at for at in range(len(rows.rows))}
    table.leave_out(rows.example(at).source for at in rows.gone)
    sources: set[Source] = set()
    for check in CHECKS.values():
        if not check.compares and not check.always_leaves_out:
            sources.update(row.at for finding in check.find(table) for row in finding.rows)
        sources.update(check.also_needs(table))
    first = rows.shard.number << POSITION_BITS
    own = related[(related >= first) & (related < first + (1 << POSITION_BITS))] - first
    selected = {number[source.line] for source in sources} | rows.gone | set(own.tolist())
    if rows.shard.is_eval:
        selected = set(range(len(rows.rows)))
    containing = {
        each.text: tuple(source for part in table.parts for source in part.containing(each.text))
        for each in boilerplate_of(rules, Counter(rules.lines), Counter())
    }
    return Selection(rows.shard.number, [rows.example(at) for at in sorted(selected)], lines, runs, containing)
