"""The real command, run as a process of its own or in a fork of this one, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import COMMAND, ROOT
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.run.lock import RunLock
from tuneproof.tui import cli

HUNG_SECONDS = 180
"""A command that takes longer hangs: none of the small cases takes a tenth of that, even on a busy machine."""

POLL_SECONDS = 0.05

FAULTY_COMMAND = (sys.executable, "-m", "tests.faults.faulty_command")
"""The command with a fault at one of its file operations, or at one of its worker's."""


@dataclass(frozen=True)
class Ended:
    """How a command ended; the code is None if it had to be ended because it hung, and negative if a signal ended it."""

    code: int | None
    err: str = ""
    out: str = ""
    """Only of a fork."""


def run(*words: object, program: tuple[str, ...] = (str(COMMAND),), environment: Mapping[str, str] | None = None) -> Ended:
    """Runs the command to its end."""
    with tempfile.TemporaryFile("w+", errors="replace") as err:
        # Not a pipe: a worker that outlives the command has nothing to do with its output, but must not be waited for.
        process = subprocess.Popen(
            [*program, *map(str, words)],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
        try:
            code: int | None = process.wait(HUNG_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        err.seek(0)
        return Ended(code, err.read())


@dataclass
class Fork:
    """The command in a fork of this process, which has imported it already: the same program, without the second of its start."""

    child: int
    out: Path
    err: Path

    @classmethod
    def start(cls, *words: object, gate: tuple[int, int] | None = None, seconds: int = HUNG_SECONDS) -> Fork:
        """Starts it; with the two ends of a pipe as a gate, once the other end is closed here. After so many seconds it has hung."""
        (out, out_path), (err, err_path) = tempfile.mkstemp(), tempfile.mkstemp()
        child = os.fork()
        if child == 0:
            _become_command([str(word) for word in words], out, err, gate, seconds)
        os.close(out)
        os.close(err)
        return cls(child, Path(out_path), Path(err_path))

    def wait(self) -> Ended:
        """Waits until it ends."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        err, out = (path.read_text(encoding="utf-8", errors="replace") for path in (self.err, self.out))
        self.err.unlink()
        self.out.unlink()
        return Ended(None if code == -signal.SIGALRM else code, err, out)


def forked(*words: object, seconds: int = HUNG_SECONDS) -> Ended:
    """Runs the command in a fork of this process."""
    return Fork.start(*words, seconds=seconds).wait()


def _become_command(words: list[str], out: int, err: int, gate: tuple[int, int] | None, seconds: int) -> None:
    code = 70
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(descriptor, target)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", errors="replace"), open(2, "w", errors="replace")  # noqa: SIM115  they end with the process
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if gate is not None:
            os.close(gate[1])
            os.read(gate[0], 1)
        signal.alarm(seconds)
        code = cli.main(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def wait_until_unlocked(run_dir: Path) -> None:
    """Waits until no process works on the run, as a worker does whose command was killed. Raises TimeoutError if one never ends."""
    deadline = time.monotonic() + HUNG_SECONDS
    while run_dir.is_dir():
        try:
            with RunLock.acquire(run_dir):
                return
        except UsageError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"a worker of {run_dir} does not end") from None
            time.sleep(POLL_SECONDS)
