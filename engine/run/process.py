"""A run's worker from the outside, and the worker that is a process of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tuneproof.engine.core.errors import ExitCode, TuneproofError
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.core.regular_files import open_for_appending, open_regular
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.liveness import WORKER_MODULE
from tuneproof.engine.run.lock import RunLock
from tuneproof.engine.run.logged_end import logged_end
from tuneproof.engine.run.stop import STOP_SIGNALS
from tuneproof.engine.run.store import EVENTS, WORKER_LOG
from tuneproof.engine.run.worker_exit import cause_of, documented_exit_code

TAIL_BYTES = 1 << 16
"""The most of a log that is read for its last lines."""


class Worker(Protocol):
    """What does a run's work, on this machine or another."""

    @property
    def run_dir(self) -> Path:
        """The run folder."""

    @property
    def starts_within(self) -> float:
        """Seconds after which a worker that has not emitted `Launched` is considered not to start."""

    def is_launched_by(self, event: Launched) -> bool:
        """Whether the event is of this worker, and not of another that has the run."""

    def queue_status(self) -> str | None:
        """A sentence about what it waits for before it begins; None once it has begun or ended."""

    def log_end(self) -> str:
        """The end of its own part of its log, which says why it did not start."""

    def is_running(self) -> bool:
        """Whether it has not ended."""

    def exit_code(self) -> int:
        """Waits for its end and returns its exit code; a worker that was killed has failed, and can be resumed."""

    def ended_by(self) -> signal.Signals | None:
        """The signal that ended it; None if it ended by itself, or if that is not known."""

    def cause(self) -> TuneproofError | None:
        """Waits for its end and returns the error that its exit code names, for a disk that took no last event; None if it names none."""

    def stop(self) -> None:
        """Asks it to save a checkpoint at the next step and end; does not wait."""

    def kill(self) -> None:
        """Ends it at once, for work whose result is no longer needed."""


@dataclass
class LocalWorker:
    """The detached process that does a run's work on this machine."""

    process: subprocess.Popen[bytes]
    run_dir: Path
    offset: int = 0
    """Where in the event log its events begin, in bytes."""
    log_offset: int = 0
    """Where in the worker's log its output begins, in bytes."""
    starts_within: float = 120

    def is_launched_by(self, event: Launched) -> bool:
        """Whether the event is of this process."""
        return event.pid == self.process.pid

    def queue_status(self) -> str | None:
        """None: it begins at once."""
        return None

    def log_end(self) -> str:
        """The end of what this worker has written to the worker's log."""
        return last_lines(self.run_dir / WORKER_LOG, begin=self.log_offset)

    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def exit_code(self) -> int:
        """Waits for the process and returns its exit code.

        One that was killed has ended as it logged; without a logged end it has failed, and can be resumed.
        """
        code = self.process.wait()
        documented = documented_exit_code(code)
        if documented is None:
            documented = logged_end(self.run_dir / EVENTS, self.offset, self.is_launched_by)
        if documented is None:
            documented = exit_code_of(signal.Signals(-code)) if code < 0 else ExitCode.FAILED
        return int(documented)

    def ended_by(self) -> signal.Signals | None:
        """The signal that ended the process; None if it ended by itself."""
        code = self.process.wait()
        return signal.Signals(-code) if code < 0 else None

    def cause(self) -> TuneproofError | None:
        """Waits for the process and returns the error that its exit code names."""
        return cause_of(self.process.wait(), self.run_dir)

    def stop(self) -> None:
        """Asks it to save a checkpoint at the next step and end; does not wait."""
        if self.is_running():
            os.kill(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kills the process, for work whose result is no longer needed."""
        self.process.kill()
        self.process.wait()


def exit_code_of(number: signal.Signals) -> ExitCode:
    """The exit code of a worker that a signal ended: a request to stop that came before it could obey, or a failure."""
    return ExitCode.INTERRUPTED if number in STOP_SIGNALS else ExitCode.FAILED


def start_process(
    run_dir: Path, until: Stage, *options: str, lock: RunLock | None = None, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Starts the worker's process in a session of its own, with its output appended to the worker's log.

    With a lock, the process is given it; without one, it locks the run itself.
    """
    handed = [] if lock is None else [lock.descriptor]
    command = [sys.executable, "-m", WORKER_MODULE, str(run_dir), "--until", until, *options, *(f"--lock={each}" for each in handed)]
    with os.fdopen(open_for_appending(run_dir / WORKER_LOG), "ab") as log:
        return subprocess.Popen(command, stdin=stdin, stdout=log, stderr=log, start_new_session=True, pass_fds=handed)


def log_traceback(run_dir: Path, error: BaseException) -> None:
    """Appends the traceback of an exception to the worker's log, as far as the disk takes it."""
    with suppress(OSError), os.fdopen(open_for_appending(run_dir / WORKER_LOG), "a", encoding="utf-8") as file:
        file.write(sanitize("".join(traceback.format_exception(error))))


def worker_log_tail(run_dir: Path, lines: int = 15) -> str:
    """The last lines of the worker's log; empty if there is no log."""
    return last_lines(run_dir / WORKER_LOG, lines)


def last_lines(path: Path, lines: int = 15, begin: int = 0) -> str:
    """The last lines of a file from this byte on; empty if there is no file that can be read."""
    try:
        with open_regular(path) as file:
            file.seek(max(begin, path.stat().st_size - TAIL_BYTES))
            return "\n".join(file.read(TAIL_BYTES).decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
