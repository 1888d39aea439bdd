"""Stage 2: every check over every row.

Needs the data files, and the token lengths of the base model if the case names one. Writes `audit.json` and `data.json`.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.audit.answers import in_a_case_file
from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.preview import data_facts
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.repeated import RepeatedAudit
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.instruction import instruction_gap
from tuneproof.engine.case.route import Route, RouteAnswers, choose_route
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Source, rows_without_instruction
from tuneproof.engine.data.notes import PreferencePair, RowNotes
from tuneproof.engine.data.readers import LoadedExamples
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Audited, CheckStarted, ShapeDetected, Warned
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.reporting import WorkReport, working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.stages.data_readings import DataReadings
from tuneproof.engine.stages.kept_readings import KeptReadings
from tuneproof.engine.stages.run_context import RunContext

if TYPE_CHECKING:
    from tuneproof.engine.stages.model_context import ModelContext

STEP = StepId(StepKind.AUDIT)

FIRST_CHECK = "comparing rows with each other"
"""What is worked out before the first check."""


def audit_data(run: RunContext, readings: DataReadings, model: ModelContext | None, kept: KeptReadings | None = None) -> bool:
    """Audits the rows, and returns whether that was done before. Raises GateClosed for findings that block, after writing them."""
    for reading in readings.all:
        _report_shapes(reading, run.log)
    lengths = None
    if model is not None:
        model.record_base()
        lengths = model.lengths
    inputs = _inputs(run, readings, lengths)
    done = run.is_done(STEP, inputs)
    if not done:
        _audit(run, readings, lengths, inputs, kept)
    _report_instruction(run, readings)
    _report_preferences(run, readings)
    report = stored_report(run.store)
    for finding in report.findings:
        if finding.group_by is not None and finding.accepted is None:
            run.log.emit(Warned(message=f"{finding.check}: {finding.message}: {finding.action}."))
    counts = {severity.value: report.count(severity) for severity in Severity}
    run.log.emit(Audited(rows=report.counts.rows, **counts), sync=True)
    if report.blocking():
        raise _gate_closed(report, run.store.path)
    return done


def _report_instruction(run: RunContext, readings: DataReadings) -> None:
    """Warns before the freeze of an instruction that leaves the model to guess."""
    rows = chain.from_iterable(reading.examples for reading in readings.all)
    if run.case.task is not None and (gap := instruction_gap(run.case.task, rows_without_instruction(rows))):
        run.log.emit(Warned(message=gap.message))


def _report_preferences(run: RunContext, readings: DataReadings) -> None:
    """Warns of data that say which answers are preferred, if the route was chosen as if they did not."""
    told = sum(len(rows) for reading in readings.all for _, rows in reading.notes.of(PreferencePair))
    preferred = RouteAnswers(**{**run.case.decision.model_dump(), "labeled_examples": told, "preference_problem": True})
    if told and not run.case.decision.preference_problem and (route := choose_route(preferred)) is Route.ALIGNMENT:
        asked = "rows say which answers people prefer: with decision.preference_problem: true, the route is"
        run.log.emit(Warned(message=f"{told:,} {asked} {route.value}"))


def stored_report(store: RunStore) -> Report:
    """The audit as the run stored it."""
    return Report.model_validate_json(store.read(artifacts.AUDIT))


def _report_shapes(reading: LoadedExamples, log: EventLog) -> None:
    for file, shape in reading.shapes.items():
        rows = sum(example.source.file == file for example in reading.examples)
        unreadable = sum(source.file == file for source, _ in reading.problems)
        log.emit(ShapeDetected(file=file, shape=shape, rows=rows, unreadable=unreadable))


def _inputs(run: RunContext, readings: DataReadings, lengths: TokenLengths | None) -> Inputs:
    data = readings.data.model_dump(mode="json", include={"columns", "turns", "leave_out", "accept", "label_errors"})
    task = run.case.task.as_recorded if run.case.task else None
    files = {f"data {label}": digest for reading in readings.all for label, digest in reading.digests.items()}
    base = {"base": lengths.sha256, "base name": lengths.base, "context": str(lengths.context)} if lengths else {}
    kept_together = {"group_by": group_by} if (group_by := _group_by(run, readings)) else {}
    return run.store.inputs(settings=files | {"settings": sha256_data([data, task])} | base | kept_together)


def _group_by(run: RunContext, readings: DataReadings) -> str | None:
    """How the split keeps rows together, if the audit depends on it. It does not in runs that were frozen before it did."""
    record = run.store.manifest.steps.get(STEP) if run.store.is_frozen else None
    was_known = record is None or "group_by" in record.inputs.settings
    return readings.data.split.group_by if was_known and readings.data.eval is None else None


def _audit(run: RunContext, readings: DataReadings, lengths: TokenLengths | None, inputs: Inputs, kept: KeptReadings | None) -> None:
    shapes = {file: shape for reading in readings.all for file, shape in reading.shapes.items()}
    with working(run.log, Work.CHECKING, FIRST_CHECK, of=len(CHECKS), unit=Unit.CHECKS) as progress:
        names = list(CHECKS)
        rows = WorkReport(run.log, Work.PASSING_ROWS, FIRST_CHECK, unit=Unit.ROWS)

        def on_check(check: str) -> None:
            run.stop.check()
            run.log.emit(CheckStarted(check=check))
            rows.about = check
            progress.advance(names.index(check), about=check)

        leave_out, accept, watched = readings.data.leave_out, readings.data.accept, (on_check, rows.advance)
        if kept is None:
            report = audit(_table(run, readings, lengths), leave_out, shapes, accept, *watched)
        else:
            audits = kept.audit(lambda: RepeatedAudit(_table(run, readings, lengths), shapes))
            report = audits.report(leave_out, accept, *watched, group_by=readings.data.split.group_by)
    instruction = run.case.task.instruction if run.case.task else None
    left_out = {Source(place.file, place.line) for place in report.left_out}
    with working(run.log, Work.SUMMARISING):
        facts = data_facts(readings.examples.examples, instruction or "", lengths, left_out, readings.parts_by_name)
    files = {artifacts.AUDIT: report.model_dump_json(indent=1) + "\n", artifacts.DATA: facts.as_text()}
    run.store.write_step(STEP, inputs, files)


def _table(run: RunContext, readings: DataReadings, lengths: TokenLengths | None) -> Table:
    task, examples = run.case.task, readings.examples.examples
    return Table(
        examples=Rows(examples),
        eval=Rows(readings.eval_rows),
        problems=[problem for reading in readings.all for problem in reading.problems],
        notes=RowNotes.joined(reading.notes for reading in readings.all),
        grader=make_grader(task, [example.output for example in examples]) if task else None,
        lengths=lengths,
        group_by=readings.data.split.group_by,
        label_errors=readings.data.label_errors,
    )


def _gate_closed(report: Report, run: Path) -> GateClosed:
    findings = [
        f"{f.check}: {f.message} (first: {f.rows[0].file}:{f.rows[0].line})" if f.rows else f"{f.check}: {f.message}"
        for f in report.blocking()
    ]
    return GateClosed(
        f"the audit blocks: {'; '.join(findings)}",
        where=str(run / artifacts.AUDIT),
        fix=in_a_case_file(report.blocking()),
    )
