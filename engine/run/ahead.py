"""A case run up to its split in a temporary folder, with a look at the training that would follow: what `tuneproof plan` is made from."""

from __future__ import annotations

import shutil
import tempfile
from enum import StrEnum
from pathlib import Path

from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.process import LocalWorker, start_process
from tuneproof.engine.run.store import RunStore


class Ahead(StrEnum):
    """How far the look at a training goes."""

    PREDICT = "predict"
    """What methods train is counted, and memory and disk are predicted; no weights are loaded."""
    MEASURE = "measure"
    """A step is measured as well, from which hours and money follow."""


class LookAhead:
    """One such run; it costs nothing but the time of its process, and nothing of it stays."""

    def __init__(self, case: Case, ahead: Ahead) -> None:
        self.store = RunStore.create(Path(tempfile.mkdtemp(prefix="tuneproof-plan-")), case.on_this_machine())
        self._ahead = ahead

    def start(self) -> LocalWorker:
        """Starts its process."""
        with self.store.lock() as lock:
            return LocalWorker(start_process(self.store.path, Stage.SPLIT, f"--ahead={self._ahead}", lock=lock), self.store.path)

    def discard(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.store.path, ignore_errors=True)
