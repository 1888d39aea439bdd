"""A shard, which is one file: its rows as a worker keeps them between looking at them, and what it counts of them first."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

import tuneproof.engine.audit.checks  # noqa: F401  registers the checks
from tuneproof.engine.audit.counts import AGGREGATES
from tuneproof.engine.audit.label_names import MOST_OUTPUTS
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.registry import CHECKS
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.table import Aggregate, AllRows, Table
from tuneproof.engine.audit_runs.local import lengths_of
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.problems import RowProblem
from tuneproof.engine.data.readers import read_labelled
from tuneproof.engine.scoring.judges import make_judge


@dataclass(frozen=True)
class Shard:
    """One file: its number in the order in which files are given, its name in findings, where it lies, and whether it is scored on."""

    number: int
    label: str
    path: Path
    scored: bool


@dataclass(frozen=True)
class Asked:
    """What the audit is asked for; the judge and the lengths are made anew on each worker, as they cannot travel."""

    shingle: Shingle
    case: DraftCase | None

    def lengths(self) -> TokenLengths | None:
        """How the chosen base reads a row, once a process."""
        return _lengths_of(self.case.model_dump_json()) if self.case else None


@lru_cache(maxsize=1)
def _lengths_of(case: str) -> TokenLengths | None:
    return lengths_of(DraftCase.model_validate_json(case))


@dataclass(frozen=True)
class Kept:
    """The rows of a shard between two looks at them, as tuples, and which have been left out, by their numbers."""

    shard: Shard
    rows: list[tuple[Any, ...]]
    gone: frozenset[int]

    @classmethod
    def of(cls, shard: Shard, rows: Rows, gone: frozenset[int]) -> Kept:
        """These rows."""
        tuples = [(e.instruction, e.input, e.output, e.source.line, e.system, e.history, e.metadata) for e in rows]
        return cls(shard, tuples, gone)

    def table(self, asked: Asked, population: Population, labels: frozenset[str] = frozenset()) -> Table:
        """The rows as part of a whole that is known."""
        examples = Rows(self.example(at) for at in range(len(self.rows)))
        task = asked.case.task if asked.case else None
        return Table(
            examples=Rows() if self.shard.scored else examples,
            eval=examples if self.shard.scored else Rows(),
            problems=[],
            judge=make_judge(task, sorted(labels)) if task else None,
            lengths=asked.lengths(),
            shingle=asked.shingle,
            is_part=True,
            population=population,
        )

    def example(self, at: int) -> Example:
        """The row of that number."""
        instruction, given, output, line, system, history, metadata = self.rows[at]
        return Example(instruction, given, output, Source(self.shard.label, line), system, history, metadata)


@dataclass(frozen=True)
class Seen:
    """What is known of a shard after the first look: what could not be read, and its aggregates once what is always left out is gone.

    `labels` are its outputs to learn from, none where there are too many to be labels. `error` is why the file cannot be read at all.
    """

    number: int
    rows: int = 0
    shapes: Mapping[str, str] | None = None
    problems: tuple[tuple[Source, RowProblem], ...] = ()
    gone: frozenset[int] = frozenset()
    whole: AllRows | None = None
    aggregates: Mapping[type[Aggregate], Aggregate] | None = None
    labels: frozenset[str] | None = frozenset()
    error: TuneproofError | None = None


def look(shard: Shard, asked: Asked) -> tuple[Kept, Seen]:
    """Reads a shard, leaves out what always is, and counts."""
    try:
        columns = asked.case.data.columns if asked.case and asked.case.data else None
        reading = read_labelled(shard.label, shard.path, columns)
        lengths = asked.lengths()
    except TuneproofError as error:
        return Kept(shard, [], frozenset()), Seen(shard.number, error=error)
    rows = Rows(reading.examples)
    parts = (Rows(), rows) if shard.scored else (rows, Rows())
    table = Table(*parts, problems=[], lengths=lengths, is_part=True)
    whole = AllRows.of(table)
    for check in CHECKS.values():
        if check.always_leaves_out:
            for finding in check.find(table):
                table.leave_out(row.at for row in finding.rows)
    gone = frozenset(at for at, example in enumerate(rows) if example.source in table.gone)
    outputs = frozenset() if shard.scored else frozenset(e.output.strip() for e in rows)
    seen = Seen(
        shard.number,
        len(rows),
        reading.shapes,
        tuple(reading.problems),
        gone,
        whole,
        {kind: kind.of(table) for kind in AGGREGATES},
        outputs if len(outputs) <= MOST_OUTPUTS else None,
    )
    return Kept.of(shard, rows, gone), seen


def counted(seen: Sequence[Seen]) -> Population:
    """What shards come to together, in their order."""
    wholes = [each.whole for each in seen if each.whole]
    aggregates = {kind: reduce(kind.plus, [each.aggregates[kind] for each in seen if each.aggregates]) for kind in AGGREGATES}
    return Population({AllRows: reduce(AllRows.plus, wholes), **aggregates})


def packed(thing: object) -> bytes:
    """Something as a cell of a data set."""
    return pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
