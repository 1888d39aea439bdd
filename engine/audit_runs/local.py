"""The audit alone: files against each other, without a run and without a frozen eval set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuneproof.engine.audit.courtesy import ShortInputs
from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.profile import Compared, RowCounts, profile_of
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import Data, LabelErrorMethod
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.readers import LoadedExamples, OnProgress, read_examples
from tuneproof.engine.data.reading_limits import ReadingLimits
from tuneproof.engine.models.folder_check import check_named_folder
from tuneproof.engine.scoring.graders import make_grader


@dataclass(frozen=True)
class AuditCallbacks:
    """What is called as an audit goes on."""

    on_file: Callable[[str, str, int], None]
    """With the name, shape and number of rows of each file that has been read."""
    on_check: Callable[[str], None]
    """With the name of each check before it runs."""
    on_progress: OnProgress = lambda progress: None
    """With how far the reading of a file has come."""
    on_rows: Callable[[int, int], None] = lambda done, of: None
    """With how many of how many rows a pass of the audit through them has come to."""


def audit_files(
    files: Sequence[str],
    against: Sequence[str],
    shingle: Shingle,
    case: DraftCase | None,
    callbacks: AuditCallbacks,
    label_errors: LabelErrorMethod | None = None,
    *,
    allow_large: bool = False,
) -> Report:
    """Runs every check over the rows of the files; the files in `against` are eval files to check for leakage.

    A case gives the task, the base model, the columns, and the checks that are left out or accepted; the files that it names are ignored.
    `label_errors` overrides the case; `allow_large` is as `data.allow_large`. Raises DataRefused if no row can be read or memory cannot
    hold them, and CaseError for a base model that cannot be loaded or an unknown check.
    """
    # Before the rows are read, which may take long.
    lengths = lengths_of(case) if case else None
    data = case.data if case and case.data else Data(examples=list(files))
    limits = ReadingLimits.of_this_machine(allow_large=allow_large or data.allow_large)
    train, held_out = read_examples(list(files), data.columns, (), limits, callbacks.on_progress, turns=data.turns).apart()
    readings = [train, *([held_out] if held_out else [])]
    if against:
        names = {file for reading in readings for file in reading.shapes}
        readings.append(read_examples(list(against), data.columns, names, limits, callbacks.on_progress, turns=data.turns))
    for reading in readings:
        _report_files(reading, callbacks)
    task = case.task if case else None
    table = Table(
        examples=Rows(train.examples),
        eval=Rows(example for reading in readings[1:] for example in reading.examples),
        problems=[problem for reading in readings for problem in reading.problems],
        notes=RowNotes.joined(reading.notes for reading in readings),
        grader=make_grader(task, [example.output for example in train.examples]) if task else None,
        lengths=lengths,
        shingle=shingle,
        group_by=data.split.group_by,
        label_errors=label_errors or data.label_errors,
    )
    shapes = {file: shape for reading in readings for file, shape in reading.shapes.items()}
    # From here on only the table holds the rows, so that the memory of rows that are left out is freed.
    readings.clear()
    return with_profile(audit(table, data.leave_out, shapes, data.accept, callbacks.on_check, callbacks.on_rows), table, callbacks)


def with_profile(report: Report, table: Table, callbacks: AuditCallbacks) -> Report:
    """The report with the profile of the rows that are left."""
    callbacks.on_check("profile")
    counts = table.count(RowCounts)
    found = profile_of(counts.examples, None, counts.eval, label_reader(table), counts.lengths())
    inputs = table.count(ShortInputs)
    how = Compared(shingle=table.shingle, rows=inputs.rows, short=inputs.short, by_character=inputs.spaceless, articles=inputs.language)
    return report.model_copy(update={"profile": found.model_copy(update={"compared": how})})


def _report_files(reading: LoadedExamples, callbacks: AuditCallbacks) -> None:
    for file, shape in reading.shapes.items():
        callbacks.on_file(file, shape, sum(example.source.file == file for example in reading.examples))


def check_base_of(case: DraftCase | None) -> None:
    """Raises CaseError if the audit needs the base model of a case, and its folder is not whole."""
    if case is not None and case.task is not None and case.model is not None:
        check_named_folder(case.model.base)


def lengths_of(case: DraftCase) -> TokenLengths | None:
    """Lengths in tokens for the base model of a case; None if the case has no task or no base model."""
    if case.task is None or case.model is None:
        return None
    from tuneproof.engine.arms.token_lengths import token_lengths
    from tuneproof.engine.models.base_model import load_base

    return token_lengths(load_base(case.model), case.task)
