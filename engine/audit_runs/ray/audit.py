"""All checks over shards on Ray.

Each shard is read and counted by itself, Ray Data joins the rows that must be compared, and only rows that may be in a finding come
together on one machine, with the aggregates over all rows. There the audit runs as it does without shards, so that the same code makes
the findings, their order and every number.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from numpy.typing import NDArray

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.left_out import LeftOut
from tuneproof.engine.audit.near.boilerplate import BoilerplateRules, boilerplate_of, find_boilerplate, sampled_rows
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.population import Population
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.run_checks import audit, require_known_checks
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit_runs.local import AuditCallbacks, check_base_of, with_profile
from tuneproof.engine.audit_runs.ray.joins import related_rows, sketch_rows
from tuneproof.engine.audit_runs.ray.selection import Selection, select_rows
from tuneproof.engine.audit_runs.ray.session import ray_started
from tuneproof.engine.audit_runs.ray.shard import AuditRequest, Shard, ShardRows, ShardSummary, pickled, population_of, read_shard
from tuneproof.engine.case.data import Data, LabelErrorMethod
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.core.errors import CaseError, DataRefused, UsageError
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.readers import no_rows_error, unread_files
from tuneproof.engine.data.source_files import source_files, source_parts
from tuneproof.engine.scoring.graders import make_grader

if TYPE_CHECKING:
    import numpy as np
    from ray.data import Dataset


def audit_shards(
    files: Sequence[str],
    against: Sequence[str],
    shingle: Shingle,
    case: DraftCase | None,
    callbacks: AuditCallbacks,
    label_errors: LabelErrorMethod | None = None,
    *,
    allow_large: bool = False,
) -> Report:
    """The report that `audit_files` gives for the same files, made on Ray, where each file is a shard.

    Workers read the files at the same paths. Raises what `audit_files` raises; UsageError if Ray is not available, or if a name is not a
    file; CaseError if the case leaves out rows of findings, because later checks would then depend on findings over all shards.
    """
    data = case.data if case and case.data else Data(examples=list(files))
    require_known_checks(data.leave_out, data.accept or {})
    given = LeftOut.of(data.leave_out)
    left_out = [*(name for name in given.checks if not CHECKS[name].always_leaves_out), *map(str, given.rows)]
    if left_out:
        raise CaseError(
            f"`{left_out[0]}` cannot be left out of shards: later checks would count other rows",
            where="data.leave_out",
            fix="audit on one machine, or remove the rows from the files first",
        )
    check_base_of(case)
    shards = _shards(files, against)
    with ray_started():
        request = AuditRequest(shingle, case, allow_large or data.allow_large)
        return _ShardedAudit(shards, request, label_errors or data.label_errors).report(files, against, data, callbacks)


def _shards(files: Sequence[str], against: Sequence[str]) -> list[Shard]:
    train, named_parts = source_files(list(files)), source_parts(list(files))
    held_out = source_files(list(against), apart_from=train) if against else {}
    held_parts = source_parts(list(against), apart_from=train) if against else {}
    for name in (*files, *against):
        if not source_files(name):
            raise UsageError("only files and folders can be audited on Ray", where=name, fix="download it, and name its files")
    parts = [(label, path, named_parts[label] is Part.EVAL, named_parts[label]) for label, path in train.items()] + [
        (label, path, True, held_parts[label]) for label, path in held_out.items()
    ]
    # A worker may have another working directory.
    return [Shard(number, label, path.resolve(), is_eval, part) for number, (label, path, is_eval, part) in enumerate(parts)]


class _ShardedAudit:
    """The steps of one audit, in their order."""

    def __init__(self, shards: list[Shard], request: AuditRequest, label_errors: LabelErrorMethod) -> None:
        self._shards, self._request, self._label_errors = shards, request, label_errors

    def report(self, files: Sequence[str], against: Sequence[str], data: Data, callbacks: AuditCallbacks) -> Report:
        rows, summaries = self._read(files, against, callbacks)
        population = population_of(summaries)
        labels = self._labels(summaries)
        rules = self._boilerplate_rules(rows, population)
        population = replace(population, boilerplate_rules=rules)
        related, complete = self._join(rows, population, sum(s.rows for s in summaries))
        selections = [found for _, found in _each(rows, select_rows, self._request, population, labels, related)]
        lines, runs = sum((s.lines for s in selections), Counter[str]()), sum((s.runs for s in selections), Counter[int]())
        population = replace(
            population,
            boilerplate=tuple(boilerplate_of(rules, lines, runs)),
            containing={text: tuple(row for s in selections for row in s.containing[text]) for text in selections[0].containing},
            near_complete=complete,
        )
        table = self._table(selections, summaries, self._notes(files, against, summaries), population, labels)
        shapes = {file: shape for s in self._train_first(summaries) for file, shape in (s.shapes or {}).items()}
        return with_profile(audit(table, data.leave_out, shapes, data.accept, callbacks.on_check, callbacks.on_rows), table, callbacks)

    def _read(self, files: Sequence[str], against: Sequence[str], callbacks: AuditCallbacks) -> tuple[Dataset, list[ShardSummary]]:
        """The rows of the shards, which stay with their workers, and the summaries in the order of the shards."""
        import ray

        items = ray.data.from_items([{"shard": pickled(shard)} for shard in self._shards], override_num_blocks=len(self._shards))
        read = items.map_batches(_read_batch, batch_size=1, batch_format="pyarrow", fn_kwargs={"request": self._request}).materialize()
        cells = (pickle.loads(row["summary"]) for row in read.select_columns(["summary"]).iter_rows())
        summaries = sorted(cells, key=lambda summary: summary.number)
        for each in summaries:
            if each.error is not None:
                raise each.error
        for each in self._train_first(summaries):
            for file, shape in (each.shapes or {}).items():
                callbacks.on_file(file, shape, each.rows)
        for names, is_eval in ((files, False), (against, True)):
            part = [s for s in summaries if self._shards[s.number].is_eval is is_eval]
            if part and not any(s.rows for s in part):
                raise no_rows_error(list(names), [problem for s in part for problem in s.problems])
        return read.select_columns(["rows"]).materialize(), summaries

    def _labels(self, summaries: list[ShardSummary]) -> frozenset[str]:
        """The outputs of the examples, if the task asks for labels, and leaves it to them which there are or how they are written."""
        task = self._request.case.task if self._request.case else None
        if task is None or not _needs_outputs(task.output):
            return frozenset()
        labels: set[str] = set()
        for each in summaries:
            if each.labels is None:
                fix = "name the choices" + (", and task.output.list_style" if task.output.kind is OutputKind.LABELS else "")
                raise DataRefused("there are too many different outputs to be choices", where="task.output", fix=fix)
            labels |= each.labels
        return frozenset(labels)

    def _boilerplate_rules(self, rows: Dataset, population: Population) -> BoilerplateRules:
        """What counts as boilerplate, decided over the rows of all shards."""
        sample: list[str] = []
        for _, of_shard in _each(rows, _sample, self._request, population):
            # The first of equal rows keeps its position, as it does without shards.
            sample = list(sampled_rows([*sample, *of_shard]))
        return find_boilerplate(sample)

    def _join(self, rows: Dataset, population: Population, count: int) -> tuple[NDArray[np.int64], bool]:
        """The numbers of the rows that are equal or near to others, and whether these are all."""
        sketches = rows.map_batches(
            _sketch_batch, batch_size=1, batch_format="pyarrow", fn_kwargs={"request": self._request, "population": population}
        ).materialize()
        return related_rows(sketches, count)

    def _train_first(self, summaries: list[ShardSummary]) -> list[ShardSummary]:
        """The summaries in the order in which files are shown."""
        return sorted(summaries, key=lambda each: self._shards[each.number].is_eval)

    def _notes(self, files: Sequence[str], against: Sequence[str], summaries: list[ShardSummary]) -> RowNotes:
        """What the user should know of how the rows were read."""
        held_out = len(summaries) - len(source_files(list(against)))
        notes: list[RowNotes] = []
        for names, shards in ((files, summaries[:held_out]), (against, summaries[held_out:])):
            notes += [each.notes for each in shards]
            first = next((each.first for each in shards if each.first is not None), None)
            if first is not None:
                notes.append(RowNotes(unread_files(list(names), first)))
        return RowNotes.joined(notes)

    def _table(
        self, selections: list[Selection], summaries: list[ShardSummary], notes: RowNotes, population: Population, labels: frozenset[str]
    ) -> Table:
        """The selected rows of all shards, as the one machine audits them."""
        task = self._request.case.task if self._request.case else None
        return Table(
            examples=Rows(e for s in selections if not self._shards[s.number].is_eval for e in s.examples),
            eval=Rows(e for s in selections if self._shards[s.number].is_eval for e in s.examples),
            problems=[problem for s in summaries for problem in s.problems],
            notes=notes,
            grader=make_grader(task, sorted(labels)) if task else None,
            lengths=self._request.lengths(),
            shingle=self._request.shingle,
            group_by=self._request.group_by,
            label_errors=self._label_errors,
            population=population,
        )


def _each(rows: Dataset, find: Callable[..., Any], *arguments: object) -> list[tuple[int, Any]]:
    """The results of a function of each shard, in the order of the shards."""
    import ray

    kwargs = {"find": find, "arguments": ray.put(arguments)}
    found = rows.map_batches(_found_batch, batch_size=1, batch_format="pyarrow", fn_kwargs=kwargs)
    return sorted(((row["number"], pickle.loads(row["found"])) for row in found.iter_rows()), key=lambda each: each[0])


def _found_batch(batch: pa.Table, find: Callable[..., Any], arguments: Any) -> dict[str, Any]:
    import ray

    rows = _shard_rows(batch)
    return {"number": [rows.shard.number], "found": [pickled(find(rows, *ray.get(arguments)))]}


def _read_batch(batch: pa.Table, request: AuditRequest) -> pa.Table:
    rows, summary = read_shard(pickle.loads(batch.column("shard")[0].as_py()), request)
    return pa.table({"rows": pa.array([pickled(rows)], pa.large_binary()), "summary": pa.array([pickled(summary)], pa.large_binary())})


def _sketch_batch(batch: pa.Table, request: AuditRequest, population: Population) -> pa.Table:
    rows = _shard_rows(batch)
    return sketch_rows(rows.table(request, population), rows.shard.number, population.boilerplate_rules or BoilerplateRules())


def _sample(rows: ShardRows, request: AuditRequest, population: Population) -> list[str]:
    """The rows of a shard that help to decide what is boilerplate."""
    return list(sampled_rows(rows.table(request, population).compared_texts()))


def _shard_rows(batch: pa.Table) -> ShardRows:
    rows = pickle.loads(batch.column("rows")[0].as_py())
    assert isinstance(rows, ShardRows)
    return rows


def _needs_outputs(output: OutputFormat) -> bool:
    """Whether the grader is made from the outputs of the examples."""
    match output.kind:
        case OutputKind.CHOICE:
            return not output.choices
        case OutputKind.LABELS:
            return not output.choices or output.list_style is None
        case _:
            return False
