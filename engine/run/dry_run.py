"""Running a draft up to its split in a temporary folder, to see what its data is like before anything is frozen."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.launch import launch
from tuneproof.engine.run.process import Worker
from tuneproof.engine.run.store import RunStore


class DryRun:
    """One such run, in a worker process like every run."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.store = RunStore.create(Path(tempfile.mkdtemp(prefix="tuneproof-dry-run-")), case)
        self._worker: Worker | None = None

    def start(self) -> None:
        """Starts the worker. Raises UsageError if it was started before."""
        if self._worker is not None:
            raise UsageError("the dry run has begun", where=str(self.store.path))
        self._worker, _ = launch(self.store.path, Stage.SPLIT)

    def is_running(self) -> bool:
        """Whether the worker is running."""
        return self._worker is not None and self._worker.is_running()

    def discard(self) -> None:
        """Ends the worker at once and removes the folder."""
        if self._worker is not None:
            self._worker.kill()
        shutil.rmtree(self.store.path, ignore_errors=True)
