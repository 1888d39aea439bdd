"""Asks for a trace from a process of its own, so that the one that shows it loads no model. Imports no torch."""

from __future__ import annotations

import subprocess
import sys
import threading

from pydantic import ValidationError

from tuneproof.engine.core import errors
from tuneproof.engine.core.errors import RunFailed, TuneproofError
from tuneproof.engine.trace.report import TraceProblem, TraceReply, TraceReport, TraceRequest


class TraceDefect(RuntimeError):
    """The process that makes traces ended as no user or machine can make it end; the message has its traceback."""


class TraceJob:
    """One trace in a process of its own; `cancel` may be called from another thread."""

    def __init__(self, request: TraceRequest) -> None:
        self.request = request
        self._process: subprocess.Popen[bytes] | None = None
        self._lock, self._cancelled = threading.Lock(), False

    def run(self) -> TraceReport:
        """Waits for the trace. Raises the error of the process, RunFailed if it was killed, and TraceDefect if it crashed."""
        command = [sys.executable, "-m", "tuneproof.engine.trace.child", self.request.model_dump_json()]
        with self._lock:
            if self._cancelled:
                raise RunFailed("the trace was cancelled")
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with self._process as process:
            try:
                out, err = process.communicate()
            except BaseException:
                process.kill()
                raise
        if process.returncode < 0:
            fix = "free memory, or choose a smaller base"
            raise RunFailed(
                f"the process with the model was killed by signal {-process.returncode}", where=self.request.source.name, fix=fix
            )
        try:
            reply = TraceReply.model_validate_json(out.rpartition(b"\n")[2])
        except ValidationError:
            raise TraceDefect(err.decode("utf-8", "replace") or f"exit code {process.returncode}") from None
        if reply.problem is not None:
            raise _error(reply.problem)
        if reply.report is None:
            raise TraceDefect("an empty reply")
        return reply.report

    def cancel(self) -> None:
        """Ends the process at once; does nothing if it has ended."""
        with self._lock:
            self._cancelled = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()


def _error(problem: TraceProblem) -> TuneproofError:
    """The error of the other process in this one."""
    kind = getattr(errors, problem.kind, TuneproofError)
    return kind(problem.what, where=problem.where, fix=problem.fix) if issubclass(kind, TuneproofError) else TuneproofError(problem.what)
