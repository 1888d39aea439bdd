"""The rows of a shard that go to the one machine where findings are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuneproof.engine.audit.checks.near_duplicates import holding
from tuneproof.engine.audit.near.boilerplate import Pieces, shared, take_out
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.registry import CHECKS
from tuneproof.engine.audit_runs.ray.joins import PLACES
from tuneproof.engine.audit_runs.ray.shard import Asked, Kept
from tuneproof.engine.data.example import Example, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Named:
    """The rows of a shard that may stand in a finding, what was taken out of its rows, and which rows hold each piece of boilerplate."""

    number: int
    examples: list[Example]
    lines: Counter[str]
    runs: Counter[int]
    holding: Mapping[str, tuple[Source, ...]]


def name_rows(kept: Kept, asked: Asked, population: Population, labels: frozenset[str], joined: NDArray[np.int64]) -> Named:
    """The rows of a shard that checks name, or that they have to see; those of eval files all."""
    table = kept.table(asked, population, labels)
    pieces = population.pieces or Pieces()
    taken = take_out(pieces, *table.compared_texts())
    number = {kept.rows[at][3]: at for at in range(len(kept.rows))}
    table.leave_out(kept.example(at).source for at in kept.gone)
    sources: set[Source] = set()
    for check in CHECKS.values():
        if not check.compares and not check.always_leaves_out:
            sources.update(row.at for finding in check.find(table) for row in finding.rows)
        sources.update(check.also(table))
    first = kept.shard.number << PLACES
    own = joined[(joined >= first) & (joined < first + (1 << PLACES))] - first
    rows = {number[source.line] for source in sources} | kept.gone | set(own.tolist())
    if kept.shard.scored:
        rows = set(range(len(kept.rows)))
    held = {each.text: tuple(holding(table, each.text)) for each in shared(pieces, Counter(pieces.lines), Counter())}
    return Named(kept.shard.number, [kept.example(at) for at in sorted(rows)], taken.lines, taken.runs, held)
