"""The worker as whoever started it sees it, and the one that is a process of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.store import WORKER_LOG


class Worker(Protocol):
    """What does a run's work, wherever it is."""

    @property
    def run_dir(self) -> Path:
        """The folder of the run."""

    @property
    def starts_within(self) -> float:
        """Seconds after which a worker that has not said that it has the run is taken not to start."""

    def waiting(self) -> str | None:
        """What it waits for before it begins; none where it has begun, or has ended."""

    def last_words(self) -> str:
        """What was logged last, by which one sees why it did not start."""

    def is_running(self) -> bool:
        """Whether it has not ended yet."""

    def exit_code(self) -> int:
        """How it ended, after waiting for it; one that was killed has failed, and can be resumed."""

    def stop(self) -> None:
        """Asks for a checkpoint at the next step and an end; does not wait."""

    def kill(self) -> None:
        """Ends it at once, in whatever it is at; for work whose result nobody wants any more."""


@dataclass
class LocalWorker:
    """The detached process that does a run's work on this machine."""

    process: subprocess.Popen[bytes]
    run_dir: Path
    starts_within: float = 120

    def waiting(self) -> str | None:
        """Nothing: it begins at once."""
        return None

    def last_words(self) -> str:
        """The end of its log."""
        return worker_log_tail(self.run_dir)

    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self.process.poll() is None

    def exit_code(self) -> int:
        """How the process ended, after waiting for it; one that was killed has failed, and can be resumed."""
        code = self.process.wait()
        return code if code >= 0 else int(ExitCode.FAILED)

    def stop(self) -> None:
        """Asks for a checkpoint at the next step and an end; does not wait."""
        if self.is_running():
            os.kill(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process at once, in whatever it is at; for work whose result nobody wants any more."""
        self.process.kill()
        self.process.wait()


def start_process(run_dir: Path, until: Stage, *further: str) -> subprocess.Popen[bytes]:
    """Starts the worker's process in a session of its own, with its output at the end of the run's log."""
    command = [sys.executable, "-m", "tuneproof.engine.worker", str(run_dir), "--until", until, *further]
    with (run_dir / WORKER_LOG).open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def worker_log_tail(run_dir: Path, lines: int = 15) -> str:
    """The end of the worker's log."""
    return last_lines(run_dir / WORKER_LOG, lines)


def last_lines(path: Path, lines: int = 15) -> str:
    """The last lines of a file; nothing where there is none."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if path.exists() else ""
