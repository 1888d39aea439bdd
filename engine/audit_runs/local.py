"""The audit alone: files against each other, with no run and nothing frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tuneproof.engine.audit.checks  # noqa: F401  registers the checks
from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.profile import RowCounts, profile_of
from tuneproof.engine.audit.report import Report, audit
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import Data, LabelErrorMethod
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.data.readers import Reading, read_examples
from tuneproof.engine.scoring.judges import make_judge


@dataclass(frozen=True)
class Told:
    """What is told while an audit goes on: a file that has been read, with its shape, and the check that begins."""

    file: Callable[[str, str, int], None]
    check: Callable[[str], None]


def audit_files(
    files: Sequence[str],
    against: Sequence[str],
    shingle: Shingle,
    case: DraftCase | None,
    told: Told,
    label_errors: LabelErrorMethod | None = None,
) -> Report:
    """Every check over the rows of the files, and over what leaks from them into the files they are held `against`.

    With a case its task, its base model, its columns, and what it leaves out or accepts count; which files it names does not.
    `label_errors` goes before what the case says.
    Raises DataRefused where nothing can be read, and CaseError for a model that cannot be had or a check that does not exist.
    """
    data = case.data if case and case.data else Data(examples=list(files))
    learned = read_examples(list(files), data.columns)
    readings = [learned, read_examples(list(against), data.columns, apart_from=learned.shapes)] if against else [learned]
    for reading in readings:
        _tell(reading, told)
    task = case.task if case else None
    table = Table(
        examples=Rows(learned.examples),
        eval=Rows(example for reading in readings[1:] for example in reading.examples),
        problems=[problem for reading in readings for problem in reading.problems],
        judge=make_judge(task, [example.output for example in learned.examples]) if task else None,
        lengths=lengths_of(case) if case else None,
        shingle=shingle,
        label_errors=label_errors or data.label_errors,
    )
    shapes = {file: shape for reading in readings for file, shape in reading.shapes.items()}
    # From here on the table alone holds the rows, so that what is left out of it is let go.
    readings.clear()
    return with_profile(audit(table, data.leave_out, shapes, data.accept, told.check), table, told)


def with_profile(report: Report, table: Table, told: Told) -> Report:
    """The report with what the rows that are left are like as a whole."""
    told.check("profile")
    counted = table.count(RowCounts)
    return report.model_copy(update={"profile": profile_of(counted.learned, None, counted.scored, label_reader(table), counted.lengths())})


def _tell(reading: Reading, told: Told) -> None:
    for file, shape in reading.shapes.items():
        told.file(file, shape, sum(example.source.file == file for example in reading.examples))


def lengths_of(case: DraftCase) -> TokenLengths | None:
    """TokenLengths in tokens, where the case has a task and a base."""
    if case.task is None or case.model is None:
        return None
    from tuneproof.engine.arms.token_lengths import token_lengths
    from tuneproof.engine.models.base_model import load_base

    return token_lengths(load_base(case.model), case.task)
