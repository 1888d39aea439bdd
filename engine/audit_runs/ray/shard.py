"""A shard, which is one file: reading it, its rows between two steps of the audit, and its aggregates."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.counts import AGGREGATES
from tuneproof.engine.audit.label_names import MOST_OUTPUTS
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.table import Aggregate, AllRows, Table
from tuneproof.engine.audit_runs.local import lengths_of
from tuneproof.engine.case.data import Turns
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import DataRefused, TuneproofError
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.problems import RowProblem
from tuneproof.engine.data.readers import read_file_as
from tuneproof.engine.scoring.graders import make_grader


@dataclass(frozen=True)
class Shard:
    """One file."""

    number: int
    """Its position in the order of the files."""
    label: str
    """Its name in findings."""
    path: Path
    is_eval: bool
    """Whether its rows are eval rows."""
    part: Part = Part.TRAIN
    """The part that its name says."""


@dataclass(frozen=True)
class AuditRequest:
    """The settings of the audit. Each worker makes its own grader and token lengths, because they cannot be pickled."""

    shingle: Shingle
    case: DraftCase | None
    allow_large: bool = False

    @property
    def group_by(self) -> str | None:
        """How the case keeps rows together in the split."""
        return self.case.data.split.group_by if self.case and self.case.data else None

    def lengths(self) -> TokenLengths | None:
        """How the chosen base model reads a row; loaded once a process."""
        return _lengths_of(self.case.model_dump_json()) if self.case else None


@lru_cache(maxsize=1)
def _lengths_of(case: str) -> TokenLengths | None:
    return lengths_of(DraftCase.model_validate_json(case))


@dataclass(frozen=True)
class ShardRows:
    """The rows of a shard between two steps of the audit."""

    shard: Shard
    rows: list[tuple[Any, ...]]
    """The fields of each row as a tuple, which is quick to pickle."""
    gone: frozenset[int]
    """The positions of the rows that are left out."""

    @classmethod
    def of(cls, shard: Shard, rows: Rows, gone: frozenset[int]) -> ShardRows:
        """The rows of a shard, ready to be pickled."""
        tuples = [
            (e.instruction, e.input, e.output, e.source.line, e.system, e.history, e.metadata, e.tool_use, e.conversation) for e in rows
        ]
        return cls(shard, tuples, gone)

    def table(self, request: AuditRequest, population: Population, labels: frozenset[str] = frozenset()) -> Table:
        """The rows as part of a population."""
        examples = Rows(self.example(at) for at in range(len(self.rows)))
        task = request.case.task if request.case else None
        return Table(
            examples=Rows() if self.shard.is_eval else examples,
            eval=examples if self.shard.is_eval else Rows(),
            problems=[],
            grader=make_grader(task, sorted(labels)) if task else None,
            lengths=request.lengths(),
            shingle=request.shingle,
            is_part=True,
            population=population,
        )

    def example(self, at: int) -> Example:
        """The row at a position."""
        instruction, given, output, line, system, history, metadata, tool_use, conversation = self.rows[at]
        return Example(instruction, given, output, Source(self.shard.label, line), system, history, metadata, tool_use, conversation)


@dataclass(frozen=True)
class ShardSummary:
    """What is known of a shard after it has been read, and the rows are left out that always are."""

    number: int
    rows: int = 0
    shapes: Mapping[str, str] | None = None
    problems: tuple[tuple[Source, RowProblem], ...] = ()
    notes: RowNotes = field(default_factory=RowNotes)
    first: Source | None = None
    """The first row that can be used."""
    gone: frozenset[int] = frozenset()
    """The positions of the rows that are left out."""
    all_rows: AllRows | None = None
    aggregates: Mapping[type[Aggregate], Aggregate] | None = None
    labels: frozenset[str] | None = frozenset()
    """The different outputs of examples; None if there are too many to be labels."""
    error: TuneproofError | None = None
    """Why the file cannot be read at all."""


def read_shard(shard: Shard, request: AuditRequest) -> tuple[ShardRows, ShardSummary]:
    """Reads a shard, leaves out the rows that always are, and computes the aggregates."""
    try:
        data = request.case.data if request.case else None
        columns, turns = (data.columns, data.turns) if data else (None, Turns.LAST)
        reading = read_file_as(shard.label, shard.path, columns, part=shard.part, turns=turns, allow_large=request.allow_large)
        lengths = request.lengths()
        if set(reading.parts.values()) - {shard.part}:
            raise DataRefused(
                "the file has a train and a test part in it, which can only be audited on one machine",
                where=shard.label,
                fix="write each part into a file of its own",
            )
    except TuneproofError as error:
        return ShardRows(shard, [], frozenset()), ShardSummary(shard.number, error=error)
    rows = Rows(reading.examples)
    parts = (Rows(), rows) if shard.is_eval else (rows, Rows())
    table = Table(*parts, problems=[], lengths=lengths, is_part=True)
    all_rows = AllRows.of(table)
    for check in CHECKS.values():
        if check.always_leaves_out:
            for finding in check.find(table):
                table.leave_out(row.at for row in finding.rows)
    gone = frozenset(at for at, example in enumerate(rows) if example.source in table.gone)
    outputs = frozenset() if shard.is_eval else frozenset(e.output.strip() for e in rows)
    summary = ShardSummary(
        number=shard.number,
        rows=len(rows),
        shapes=reading.shapes,
        problems=tuple(reading.problems),
        notes=reading.notes,
        first=reading.examples[0].source if reading.examples else None,
        gone=gone,
        all_rows=all_rows,
        aggregates={kind: kind.of(table) for kind in AGGREGATES},
        labels=outputs if len(outputs) <= MOST_OUTPUTS else None,
    )
    return ShardRows.of(shard, rows, gone), summary


def population_of(summaries: Sequence[ShardSummary]) -> Population:
    """The aggregates of all shards together; `summaries` are in the order of the shards."""
    all_rows = [each.all_rows for each in summaries if each.all_rows]
    aggregates = {kind: reduce(kind.plus, [each.aggregates[kind] for each in summaries if each.aggregates]) for kind in AGGREGATES}
    return Population({AllRows: reduce(AllRows.plus, all_rows), **aggregates})


def pickled(thing: object) -> bytes:
    """An object as a cell of a Ray data set."""
    return pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
