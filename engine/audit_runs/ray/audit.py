"""All checks over shards: each is looked at by itself, Ray Data joins what has to be held against each other, and the audit says the rest.

Only rows that may stand in a finding come together on one machine, with what was counted over all. There the audit runs over them as it
does over all rows elsewhere, so that findings, their order and every number are made by the same code.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from numpy.typing import NDArray

from tuneproof.engine.audit.near.boilerplate import Pieces, decide, deciding, shared
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.registry import CHECKS
from tuneproof.engine.audit.report import Report, audit, check_names
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit_runs.local import Told, with_profile
from tuneproof.engine.audit_runs.ray.joins import rows_together, sketch
from tuneproof.engine.audit_runs.ray.naming import Named, name_rows
from tuneproof.engine.audit_runs.ray.session import ray_started
from tuneproof.engine.audit_runs.ray.shard import Asked, Kept, Seen, Shard, counted, look, packed
from tuneproof.engine.case.data import Data, LabelErrorMethod
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.core.errors import CaseError, DataRefused, UsageError
from tuneproof.engine.data.readers import labelled_paths, nothing_read
from tuneproof.engine.scoring.judges import make_judge

if TYPE_CHECKING:
    import numpy as np
    from ray.data import Dataset


def audit_shards(
    files: Sequence[str],
    against: Sequence[str],
    shingle: Shingle,
    case: DraftCase | None,
    told: Told,
    label_errors: LabelErrorMethod | None = None,
) -> Report:
    """The report of `audit_files` on the same files, made on Ray, where each file is a shard.

    Workers read the files at the same paths. Raises what `audit_files` raises; UsageError where Ray is not to be had, or where what is
    named is no file; CaseError where the case leaves rows out, since what is left for later checks would then hang on the findings.
    """
    data = case.data if case and case.data else Data(examples=list(files))
    check_names(data.leave_out, data.accept or {})
    asked_out = [name for name in data.leave_out if not CHECKS[name].always_leaves_out]
    if asked_out:
        raise CaseError(
            f"`{asked_out[0]}` cannot be left out of shards: what later checks count would hang on its findings",
            where="data.leave_out",
            fix="audit on one machine, or take the rows out of the files first",
        )
    shards = _shards(files, against)
    with ray_started():
        return _Sharded(shards, Asked(shingle, case), label_errors or data.label_errors).report(files, against, data, told)


def _shards(files: Sequence[str], against: Sequence[str]) -> list[Shard]:
    learned = labelled_paths(list(files))
    scored = labelled_paths(list(against), apart_from=learned) if against else {}
    for name in (*files, *against):
        if not labelled_paths(name):
            raise UsageError("only files and folders can be audited on Ray", where=name, fix="download it, and name its files")
    parts = [(label, path, False) for label, path in learned.items()] + [(label, path, True) for label, path in scored.items()]
    # A worker may stand elsewhere.
    return [Shard(number, label, path.resolve(), is_scored) for number, (label, path, is_scored) in enumerate(parts)]


class _Sharded:
    """The steps of one audit, in their order."""

    def __init__(self, shards: list[Shard], asked: Asked, label_errors: LabelErrorMethod) -> None:
        self._shards, self._asked, self._label_errors = shards, asked, label_errors

    def report(self, files: Sequence[str], against: Sequence[str], data: Data, told: Told) -> Report:
        kept, seen = self._look(files, against, told)
        population = counted(seen)
        labels = self._labels(seen)
        pieces = self._pieces(kept, population)
        population = replace(population, pieces=pieces)
        joined, complete = self._join(kept, population, sum(s.rows for s in seen))
        named = self._name(kept, population, labels, joined)
        lines, runs = sum((n.lines for n in named), Counter[str]()), sum((n.runs for n in named), Counter[int]())
        population = replace(
            population,
            shared=tuple(shared(pieces, lines, runs)),
            holding={text: tuple(s for n in named for s in n.holding[text]) for text in named[0].holding},
            near_complete=complete,
        )
        task = self._asked.case.task if self._asked.case else None
        table = Table(
            examples=Rows(e for n in named if not self._shards[n.number].scored for e in n.examples),
            eval=Rows(e for n in named if self._shards[n.number].scored for e in n.examples),
            problems=[problem for s in seen for problem in s.problems],
            judge=make_judge(task, sorted(labels)) if task else None,
            lengths=self._asked.lengths(),
            shingle=self._asked.shingle,
            label_errors=self._label_errors,
            population=population,
        )
        shapes = {file: shape for s in seen for file, shape in (s.shapes or {}).items()}
        return with_profile(audit(table, data.leave_out, shapes, data.accept, told.check), table, told)

    def _look(self, files: Sequence[str], against: Sequence[str], told: Told) -> tuple[Dataset, list[Seen]]:
        """The shards as their workers keep them, and what was seen of each."""
        import ray

        items = ray.data.from_items([{"shard": packed(shard)} for shard in self._shards], override_num_blocks=len(self._shards))
        looked = items.map_batches(_look_at, batch_size=1, batch_format="pyarrow", fn_kwargs={"asked": self._asked}).materialize()
        seen = sorted((pickle.loads(row["seen"]) for row in looked.select_columns(["seen"]).iter_rows()), key=lambda s: s.number)
        for each in seen:
            if each.error is not None:
                raise each.error
            for file, shape in (each.shapes or {}).items():
                told.file(file, shape, each.rows)
        for names, scored in ((files, False), (against, True)):
            part = [s for s in seen if self._shards[s.number].scored is scored]
            if part and not any(s.rows for s in part):
                raise nothing_read(list(names), [problem for s in part for problem in s.problems])
        return looked.select_columns(["kept"]).materialize(), seen

    def _labels(self, seen: list[Seen]) -> frozenset[str]:
        """The outputs to learn from where the task asks for a choice and names none."""
        task = self._asked.case.task if self._asked.case else None
        if task is None or task.output.kind is not OutputKind.CHOICE or task.output.choices:
            return frozenset()
        labels: set[str] = set()
        for each in seen:
            if each.labels is None:
                raise DataRefused("there are too many different outputs to be choices", where="task.output", fix="name the choices")
            labels |= each.labels
        return frozenset(labels)

    def _pieces(self, kept: Dataset, population: Population) -> Pieces:
        """The boilerplate, decided over the rows of all shards."""
        rows: dict[str, str] = {}
        for _, sample in _each(kept, _deciding, self._asked, population):
            # The first of equal rows keeps its place, as it does among all rows.
            rows = dict(deciding({**rows, **sample}))
        return decide(rows)

    def _join(self, kept: Dataset, population: Population, rows: int) -> tuple[NDArray[np.int64], bool]:
        """The rows that are equal to others or near them, by their numbers, and whether these are all."""
        sketches = kept.map_batches(
            _sketch, batch_size=1, batch_format="pyarrow", fn_kwargs={"asked": self._asked, "population": population}
        ).materialize()
        return rows_together(sketches, rows)

    def _name(self, kept: Dataset, population: Population, labels: frozenset[str], joined: NDArray[np.int64]) -> list[Named]:
        return [named for _, named in _each(kept, name_rows, self._asked, population, labels, joined)]


def _each(kept: Dataset, find: Callable[..., Any], *given: object) -> list[tuple[int, Any]]:
    """What a function finds in each shard, in the order of the shards."""
    import ray

    found = kept.map_batches(_found, batch_size=1, batch_format="pyarrow", fn_kwargs={"find": find, "given": ray.put(given)})
    return sorted(((row["number"], pickle.loads(row["found"])) for row in found.iter_rows()), key=lambda each: each[0])


def _found(batch: pa.Table, find: Callable[..., Any], given: Any) -> dict[str, Any]:
    import ray

    kept = _kept(batch)
    return {"number": [kept.shard.number], "found": [packed(find(kept, *ray.get(given)))]}


def _look_at(batch: pa.Table, asked: Asked) -> pa.Table:
    kept, seen = look(pickle.loads(batch.column("shard")[0].as_py()), asked)
    return pa.table({"kept": pa.array([packed(kept)], pa.large_binary()), "seen": pa.array([packed(seen)], pa.large_binary())})


def _kept(batch: pa.Table) -> Kept:
    kept = pickle.loads(batch.column("kept")[0].as_py())
    assert isinstance(kept, Kept)
    return kept


def _deciding(kept: Kept, asked: Asked, population: Population) -> Mapping[str, str]:
    """The rows of a shard that have a say in what is boilerplate."""
    return deciding(dict(zip(*kept.table(asked, population).compared_texts(), strict=True)))


def _sketch(batch: pa.Table, asked: Asked, population: Population) -> pa.Table:
    kept = _kept(batch)
    return sketch(kept.table(asked, population), kept.shard.number, population.pieces or Pieces())
