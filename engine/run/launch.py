"""Starting the worker so that it outlives whoever started it, and asking it to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tuneproof.engine.errors import ExitCode, UsageError
from tuneproof.engine.run.events import EventReader, Launched
from tuneproof.engine.run.liveness import worker_process
from tuneproof.engine.run.store import EVENTS, WORKER_LOG
from tuneproof.engine.stages import Stage


@dataclass
class Worker:
    """The detached process that does a run's work, as the process that started it sees it."""

    process: subprocess.Popen[bytes]
    run_dir: Path

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


def launch(run_dir: Path, until: Stage) -> tuple[Worker, int]:
    """Starts the worker in a session of its own, and returns it with the place in the log where its events begin."""
    offset = (run_dir / EVENTS).stat().st_size if (run_dir / EVENTS).exists() else 0
    command = [sys.executable, "-m", "tuneproof.engine.run.worker", str(run_dir), "--until", until]
    with (run_dir / WORKER_LOG).open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    return Worker(process, run_dir), offset


def stop_run(launched: Launched) -> bool:
    """Asks the worker for a checkpoint at the next step and an end; does not wait. Whether there was one, on this machine, to ask.

    Raises UsageError where it belongs to another user.
    """
    process = worker_process(launched)
    if process is None:
        return False
    try:
        # psutil makes sure once more that the pid was not used again.
        process.send_signal(signal.SIGTERM)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        raise UsageError("the worker belongs to another user", where=f"process {launched.pid}", fix="ask them to stop it") from None
    return True


def wait_until_launched(worker: Worker, offset: int, seconds: float = 120) -> bool:
    """Whether the worker has said that it has the run, before it ended or the time was over."""
    reader, deadline = EventReader(worker.run_dir / EVENTS, offset), time.monotonic() + seconds
    while time.monotonic() < deadline:
        if any(isinstance(event, Launched) for event in reader.read()):
            return True
        if not worker.is_running():
            return any(isinstance(event, Launched) for event in reader.read())
        time.sleep(0.02)
    return False


def log_tail(run_dir: Path, lines: int = 15) -> str:
    """The end of the worker's log."""
    path = run_dir / WORKER_LOG
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if path.exists() else ""
