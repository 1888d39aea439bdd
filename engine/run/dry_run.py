"""Running a draft up to its split in a temporary folder, to see what its data is like before anything is frozen."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.process import LocalWorker, start_process
from tuneproof.engine.run.store import RunStore


class DryRun:
    """One such run. Its worker stays, so that the next one of the same rows need not read and check them all again."""

    def __init__(self, case: Case, after: DryRun | None = None) -> None:
        """`after` is the dry run that this one replaces, and whose worker it takes over."""
        self.case = case
        self.store = RunStore.create(Path(tempfile.mkdtemp(prefix="tuneproof-dry-run-")), case)
        self._worker: LocalWorker | None = None
        self._after = after
        self._folders: list[Path] = [*(after._folders if after else []), self.store.path]

    def start(self) -> None:
        """Starts the worker, or has the one of the dry run before do this one. Raises UsageError if it was started before."""
        if self._worker is not None:
            raise UsageError("the dry run has begun", where=str(self.store.path))
        earlier, self._after = self._after, None
        if earlier is not None and earlier._hand_over(self.store.path):
            self._worker, earlier._worker = earlier._worker, None
            return
        if earlier is not None:
            earlier.discard()
        with self.store.lock() as lock:
            process = start_process(self.store.path, Stage.SPLIT, "--stay", lock=lock, stdin=subprocess.PIPE)
            self._worker = LocalWorker(process, self.store.path)

    def _hand_over(self, folder: Path) -> bool:
        """Tells the worker to do the run in another folder instead, and to remove this one. Returns whether it is there to do so."""
        if self._worker is None or not self._worker.is_running() or self._worker.process.stdin is None:
            return False
        try:
            self._worker.process.stdin.write(f"{folder}\n".encode())
            self._worker.process.stdin.flush()
        except OSError:
            return False
        return True

    def discard(self) -> None:
        """Ends the worker at once and removes the folder, and those of the dry runs before."""
        if self._worker is not None:
            self._worker.kill()
            if self._worker.process.stdin is not None:
                self._worker.process.stdin.close()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
