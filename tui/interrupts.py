"""Passing requests to stop on from a replay to its worker: Ctrl-C, SIGTERM (as from `timeout`), and SIGHUP (the terminal was closed)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.run.process import Worker
from tuneproof.engine.run.stop import STOP_SIGNALS, is_ignored

STOPPING = "stopping at the next safe point; Ctrl-C once more ends it at once …"


@dataclass
class Interrupts:
    """What has been asked of a worker so far; a request that comes before there is a worker is passed on to it when there is one."""

    worker: Worker | None = None
    requested: bool = False
    killed: bool = False
    """Whether the worker was ended at once, on request."""

    def follow(self, worker: Worker) -> None:
        """Passes requests on to this worker from now on."""
        self.worker = worker
        if self.requested:
            self._pass_on(worker.stop)

    def take(self, number: int, _: object) -> None:
        """Takes one signal; raises nothing, so that the worker's last events are still shown."""
        again, self.requested = self.requested, True
        if self.worker is None:
            return
        if again and number == signal.SIGINT:
            self.killed = True
            self._pass_on(self.worker.kill)
        elif not again:
            _say(STOPPING)
            self._pass_on(self.worker.stop)

    def _pass_on(self, request: Callable[[], None]) -> None:
        try:
            request()
        except TuneproofError as error:
            # The worker continues, so watching it continues, too.
            self.killed = False
            _say(sanitize(f"tuneproof: {error}", one_line=True))


@contextmanager
def passed_on() -> Iterator[Interrupts]:
    """While it is open, no request to stop ends this process."""
    interrupts = Interrupts()
    previous = {number: signal.signal(number, interrupts.take) for number in STOP_SIGNALS if not is_ignored(number)}
    try:
        yield interrupts
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    """Writes to stderr past Python's buffer, which a signal may have interrupted; to nowhere from then on if the terminal is gone."""
    try:
        os.write(2, f"{text}\n".encode())
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
