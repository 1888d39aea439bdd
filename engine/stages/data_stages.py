"""The stages that read data and need no model: the audit, and the split that freezes the eval set."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import tuneproof.engine.audit.checks  # noqa: F401  registers the checks
from tuneproof.engine.audit.near.split_leaks import without_near_leaks
from tuneproof.engine.audit.preview import data_facts
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import Report, audit
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError, GateClosed
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.readers import Reading, read_examples
from tuneproof.engine.data.split import Part, split
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Audited, CheckStarted, ShapeDetected, SplitFrozen
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.scoring.judges import make_judge
from tuneproof.engine.scoring.statistics import minimum_detectable_effect


class DataStages:
    """The audit and the split of one run; `lengths` is given by the model where the case has one."""

    def __init__(self, store: RunStore, case: Case, data: Data, log: EventLog) -> None:
        self._store, self._case, self._data, self._log = store, case, data, log
        self.lengths: Callable[[], TokenLengths] | None = None

    @cached_property
    def _reading(self) -> Reading:
        return read_examples(self._data.examples, self._data.columns)

    @cached_property
    def _eval_reading(self) -> Reading | None:
        if self._data.eval is None:
            return None
        _must_differ(self._data)
        return read_examples(self._data.eval, self._data.columns, apart_from=self._reading.shapes)

    def audit(self) -> bool:
        """Stage 2: every check over every row. Raises GateClosed for findings that block, after writing them down."""
        readings = [self._reading] + ([self._eval_reading] if self._eval_reading else [])
        for reading in readings:
            self._tell_shapes(reading)
        lengths = self.lengths() if self.lengths else None
        made_from = self._made_from(readings, lengths)
        done = self._store.is_done("audit", made_from)
        if not done:
            report = audit(
                self._table(readings, lengths),
                self._data.leave_out,
                {k: v for r in readings for k, v in r.shapes.items()},
                self._data.accept,
                lambda check: self._log.emit(CheckStarted(check=check)),
            )
            instruction = self._case.task.instruction if self._case.task else None
            gone = {Source(place.file, place.line) for place in report.left_out}
            seen = data_facts(self._reading.examples, instruction or "", lengths, gone)
            written = {artifacts.AUDIT: report.model_dump_json(indent=1) + "\n", artifacts.DATA: seen.as_text()}
            self._store.write_step("audit", made_from, written)
        report = self._report()
        told = {severity.value: report.count(severity) for severity in Severity}
        self._log.emit(Audited(rows=report.counts.rows, **told), sync=True)
        if report.blocking():
            raise _closed(report, self._store.path)
        return done

    def split(self) -> bool:
        """Stage 3: the rows that go on, divided once and frozen."""
        made_from = {
            artifacts.AUDIT: self._store.check(artifacts.AUDIT),
            "split": sha256_data(self._data.split.model_dump(mode="json")),
        }
        done = self._store.is_done("split", made_from)
        if not done:
            gone = {Source(place.file, place.line) for place in self._report().left_out}
            rows = [e for e in self._reading.examples if e.source not in gone]
            scored = [e for e in self._eval_reading.examples if e.source not in gone] if self._eval_reading else None
            parts = without_near_leaks(split(rows, self._data.split, scored), cut_from_one_file=scored is None)
            self._store.write_parts(made_from, parts)
        sizes = {part.value: len(self._store.part(part)) for part in Part}
        effect = round(minimum_detectable_effect(sizes[Part.EVAL]), 6)
        digest = self._store.digest(part_file(Part.EVAL))
        self._log.emit(SplitFrozen(**sizes, eval_sha256=digest, minimum_detectable_effect=effect), sync=True)
        return done

    def _made_from(self, readings: list[Reading], lengths: TokenLengths | None) -> dict[str, str]:
        data = self._data.model_dump(mode="json", include={"columns", "leave_out", "accept", "label_errors"})
        task = self._case.task.model_dump(mode="json") if self._case.task else None
        files = {f"data {label}": digest for reading in readings for label, digest in reading.digests.items()}
        base = {"base": lengths.sha256, "base name": lengths.base, "context": str(lengths.context)} if lengths else {}
        return files | {"settings": sha256_data([data, task])} | base

    def _table(self, readings: list[Reading], lengths: TokenLengths | None) -> Table:
        task = self._case.task
        return Table(
            examples=Rows(readings[0].examples),
            eval=Rows(e for reading in readings[1:] for e in reading.examples),
            problems=[p for reading in readings for p in reading.problems],
            judge=make_judge(task, [e.output for e in readings[0].examples]) if task else None,
            lengths=lengths,
            label_errors=self._data.label_errors,
        )

    def _report(self) -> Report:
        return Report.model_validate_json(self._store.read(artifacts.AUDIT))

    def _tell_shapes(self, reading: Reading) -> None:
        for file, shape in reading.shapes.items():
            rows = sum(e.source.file == file for e in reading.examples)
            unreadable = sum(source.file == file for source, _ in reading.problems)
            self._log.emit(ShapeDetected(file=file, shape=shape, rows=rows, unreadable=unreadable))


def labels(rows: list[tuple[str, Example]]) -> list[str]:
    """The outputs of a part, as a choice task without choices takes them."""
    return [example.output for _, example in rows]


def _must_differ(data: Data) -> None:
    if data.eval == data.examples:
        raise CaseError(
            "`data.eval` is the same file as `data.examples`",
            where="data.eval",
            fix="leave it out: the examples are then divided",
        )


def _closed(report: Report, run: Path) -> GateClosed:
    blocking = report.blocking()
    told = "; ".join(
        f"{f.check}: {f.message} (first: {f.rows[0].file}:{f.rows[0].line})" if f.rows else f"{f.check}: {f.message}" for f in blocking
    )
    names = ", ".join(dict.fromkeys(f.check for f in blocking))
    return GateClosed(
        f"the audit blocks: {told}",
        where=str(run / artifacts.AUDIT),
        fix=f"mend the rows, or set data.leave_out: [{names}]",
    )
