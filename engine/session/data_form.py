"""The form of the data step: how far the reading of the data is."""

from __future__ import annotations

from enum import Enum, auto

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import ShapeUnknown
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
