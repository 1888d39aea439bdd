"""A trial: the draft as it stands, replayed up to its split in a folder that is thrown away, so that nothing is frozen yet."""

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


class Trial:
    """One such replay, in a worker process as every run."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.store = RunStore.create(Path(tempfile.mkdtemp(prefix="tuneproof-trial-")), case)
        self._worker: Worker | None = None

    def start(self) -> None:
        """Starts the worker. Raises UsageError where it was started before."""
        if self._worker is not None:
            raise UsageError("the trial has begun", where=str(self.store.path))
        self._worker, _ = launch(self.store.path, Stage.SPLIT)

    def is_running(self) -> bool:
        """Whether the worker has not ended yet."""
        return self._worker is not None and self._worker.is_running()

    def discard(self) -> None:
        """Ends the worker, at once, and removes the folder."""
        if self._worker is not None:
            self._worker.kill()
        shutil.rmtree(self.store.path, ignore_errors=True)
