"""What a process keeps between dry runs of the same data: the rows that were read, the base's tokenizer, and what the checks found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.audit.repeated import RepeatedAudit
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.schema import Case
from tuneproof.engine.data.source_rows import source_files_of
from tuneproof.engine.stages.data_readings import DataReadings

if TYPE_CHECKING:
    from tuneproof.engine.stages.model_context import ModelContext

DECIDED = {"leave_out", "accept", "split"}
"""The keys of `data` that change neither the rows nor what is known of each."""


class KeptReadings:
    """Used for the next run of this process if its data files, its task and its base are the same; otherwise let go of."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] | None = None
        self._readings: DataReadings | None = None
        self._model: ModelContext | None = None
        self._audit: RepeatedAudit | None = None

    def begin(self, case: Case, readings: DataReadings, model: ModelContext | None) -> None:
        """Hands what is kept to the readings and the model of a run."""
        key = _key(case, readings.data)
        if key == self._key and self._readings is not None:
            readings.take_over(self._readings)
            if model is not None and self._model is not None:
                model.take_over(self._model)
        else:
            self._audit = None
        self._key, self._readings, self._model = key, readings, model

    @property
    def model(self) -> ModelContext | None:
        """The base of the last run with the rows; None before there is one, and for a case without a base."""
        return self._model

    def audit(self, make: Callable[[], RepeatedAudit]) -> RepeatedAudit:
        """The audit of the rows that are kept; it is made if these are new."""
        if self._audit is None:
            self._audit = make()
        return self._audit


def _key(case: Case, data: Data) -> tuple[object, ...]:
    """What the rows, and what is known of each, depend on."""
    return data.model_dump(exclude=DECIDED), case.task, case.model, tuple(_stamp(path) for path in source_files_of(data).values())


def _stamp(path: Path) -> tuple[object, ...]:
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size, found.st_ino
