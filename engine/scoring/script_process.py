"""A script of the case in a process of its own, with limits of time and memory: it ends in a score, or in an error that says what it did.

It is no sandbox: a script is code that the user runs with their own rights. It gets no variable of the environment that could hold a key.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuneproof.engine.case.script_metric import FUNCTION, ScriptMetric
from tuneproof.engine.core.errors import CaseError

START_SECONDS = 120
"""Time that a script may take until its function is defined: it may import large libraries."""

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
"""What the process of a script gets of the environment."""

SAME_EVERY_TIME = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""Settings under which a script gives the same numbers again, and takes no memory for threads."""

WHERE = "task.metric.script"
FIX = "correct the script, and start a new run with it"
CHILD = Path(__file__).with_name("script_child.py")


@contextlib.contextmanager
def script_process(metric: ScriptMetric) -> Iterator[ScriptProcess]:
    """A process that has run the script and waits for answers. Raises CaseError if the script fails or takes too long."""
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | SAME_EVERY_TIME
    with tempfile.TemporaryDirectory(prefix="tuneproof-script-") as folder:
        child = subprocess.Popen(
            # Without `-P` the folder of this file would come first among the places to import from.
            [sys.executable, "-P", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        process = ScriptProcess(metric, child)
        try:
            process.start()
            yield process
        finally:
            process.end()


@dataclass
class ScriptProcess:
    """The process of one script."""

    metric: ScriptMetric
    child: subprocess.Popen[bytes]
    _read: bytearray = field(default_factory=bytearray)

    def start(self) -> None:
        """Runs the script, which defines its function."""
        first = {"text": self.metric.script, "memory": int(self.metric.memory_gb * 1e9)}
        self._fields(first, START_SECONDS, "when it was loaded", is_score=False)

    def score(self, output: str, row: Mapping[str, Any], where: str) -> dict[str, float]:
        """What the script gives an answer, by name; `where` names the row. Raises CaseError for anything but numbers from 0 to 1."""
        asked = {"output": output, "row": dict(row), "seconds": self.metric.seconds + 1}
        return self._fields(asked, self.metric.seconds, f"on {where}", is_score=True)

    def end(self) -> None:
        """Ends the process, and what it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.kill()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.child.wait()

    def _fields(self, asked: Mapping[str, Any], seconds: float, when: str, *, is_score: bool) -> dict[str, float]:
        reply = self._reply(json.dumps(asked, default=str).encode() + b"\n", seconds, when)
        if "error" in reply:
            line = f", line {reply['line']}" if reply.get("line") else ""
            raise CaseError(f"the script failed {when}: {reply['error']}", where=f"{WHERE}{line}", fix=FIX)
        if not is_score:
            return {}
        value = reply["value"]
        fields: dict[str, float] = value if isinstance(value, dict) else {FUNCTION: value}
        if not fields:
            raise CaseError(f"the script gave no field {when}", where=WHERE, fix="return a number, or at least one field")
        for name, each in fields.items():
            if not 0 <= each <= 1:
                raise CaseError(
                    f"the script gave {name} = {each:g} {when}, which is not between 0 and 1",
                    where=WHERE,
                    fix="scale it to the range from 0 to 1, and start a new run with it",
                )
        return fields

    def _reply(self, line: bytes, seconds: float, when: str) -> dict[str, Any]:
        """Sends a line and reads the one that answers it."""
        assert self.child.stdin is not None and self.child.stdout is not None
        # A process that is gone is reported where its answer is missing.
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.write(line)
            self.child.stdin.flush()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                fix = "make it faster, or set task.metric.seconds to more, and start a new run with it"
                raise CaseError(f"the script took longer than {seconds:g} s {when}", where=WHERE, fix=fix)
            chunk = os.read(self.child.stdout.fileno(), 1 << 16)
            if not chunk:
                raise CaseError(f"the process of the script ended {when}: {self._how_it_ended()}", where=WHERE, fix=FIX)
            self._read += chunk
        reply, _, rest = bytes(self._read).partition(b"\n")
        self._read = bytearray(rest)
        read: dict[str, Any] = json.loads(reply)
        return read

    def _how_it_ended(self) -> str:
        code = self.child.wait()
        return f"it exited with code {code}" if code >= 0 else f"it was ended by {signal.Signals(-code).name}"
