"""Telling those who watch a run how far a piece of work has come, seldom enough for the log to stay small."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.events import Progressed
from tuneproof.engine.run.work import Unit, Work

LEAST_SECONDS, MOST_SECONDS = 1.0, 10.0
"""Between two reports of one piece of work: the least at its beginning, and the most once it has taken long."""

REPORTS = 60
"""About how many reports a piece of work makes in each e-fold of its time, so that ten hours of work are a few thousand lines."""


@dataclass
class WorkReport:
    """Reports one piece of work; `of` may change while it is done, and is None as long as nobody knows it."""

    sink: EventSink
    work: Work
    about: str = ""
    of: int | None = None
    unit: Unit | None = None
    done: int = 0

    def __post_init__(self) -> None:
        self._began = self._reported = time.monotonic()

    def begin(self) -> None:
        """Reports that the work begins."""
        self._emit(self.done, self.of)

    def advance(self, done: int, of: int | None = None, about: str | None = None) -> None:
        """Takes in how much is done, and reports it if the last report was long enough ago."""
        self.done, self.of = done, self.of if of is None else of
        self.about = self.about if about is None else about
        now = time.monotonic()
        if now - self._reported >= min(MOST_SECONDS, max(LEAST_SECONDS, (now - self._began) / REPORTS)):
            self._reported = now
            self._emit(done, self.of)

    def step(self, done: int) -> None:
        """Takes in how much is done, and reports it: for work that is counted in few and slow steps."""
        self.done, self._reported = done, time.monotonic()
        self._emit(done, self.of)

    def end(self) -> None:
        """Reports that the work is done."""
        of = max(1, self.of or 0, self.done)
        self._emit(of, of)

    def _emit(self, done: int, of: int | None) -> None:
        self.sink.emit(Progressed(work=self.work, about=self.about, done=done, of=of, unit=self.unit))


@contextmanager
def working(
    sink: EventSink, work: Work, about: str = "", *, done: int = 0, of: int | None = None, unit: Unit | None = None
) -> Iterator[WorkReport]:
    """Reports a piece of work from its begin to its end; work that raises has no end, and what ends the run says so."""
    report = WorkReport(sink, work, about, of, unit, done)
    report.begin()
    yield report
    report.end()
