"""The form of the data step: how far the reading of the data is, and where the eval set comes from."""

from __future__ import annotations

from enum import Enum, auto

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import ShapeUnknown
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run.artifacts import DataFacts
from tuneproof.engine.run.state import RunState, RunStatus


class DataStatus(Enum):
    """How far the reading of the data is."""

    NOT_READ = auto()
    READING = auto()
    NEEDS_COLUMNS = auto()
    """No known shape fits: the case has to name the columns."""
    FAILED = auto()
    AUDITED = auto()
    FROZEN = auto()


def data_status(dry_run: RunState, *, is_frozen: bool, has_dry_run: bool) -> DataStatus:
    """The status of the data of a draft, or of a run if `is_frozen`."""
    if is_frozen:
        return DataStatus.FROZEN
    if has_dry_run and dry_run.status in (RunStatus.NEW, RunStatus.RUNNING):
        return DataStatus.READING
    if dry_run.audited is not None:
        return DataStatus.AUDITED
    if dry_run.failure is not None:
        return DataStatus.NEEDS_COLUMNS if dry_run.failure.is_a(ShapeUnknown) else DataStatus.FAILED
    return DataStatus.NOT_READ


def with_examples(data: Data | None, examples: str) -> Data:
    """The data with other examples. Decisions about the columns and the findings of the ones before do not go over to them."""
    if data is None:
        return Data(examples=examples)
    return Data(examples=examples, eval=data.eval, documents=data.documents, split=data.split)


def named_files(files: str | list[str]) -> str:
    """The examples or the eval set of a case in a line."""
    return files if isinstance(files, str) else ", ".join(files)


def eval_by_name(found: DataFacts | None) -> list[str]:
    """The files among the examples that have the eval set, because they, or a sheet or list in them, are called test or eval."""
    return found.parts_by_name.get(Part.EVAL, []) if found is not None else []


def eval_source(data: Data, found: DataFacts | None) -> str:
    """Where the eval set comes from, in a line; `found` is None before the examples are read."""
    if data.eval is not None:
        return named_files(data.eval)
    if found is None:
        return "none named"
    if files := eval_by_name(found):
        return f"taken by its name from {', '.join(files)}"
    return "none: a part of the examples is set aside"
