"""How far work on rows has come, at what pace, and how long the rest takes: said every two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

INTERVAL = 2.0
"""Seconds between two reports."""


@dataclass(frozen=True)
class Progress:
    """How far a step of the work has come."""

    doing: str
    rows: int
    share: float
    """The part of the step that is done, from 0 to 1."""
    seconds: float
    """How long it took to come so far."""

    @property
    def rows_per_second(self) -> float:
        """The pace since the step began."""
        return self.rows / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float:
        """How long the rest of the step takes at this pace; 0 if nothing is known yet."""
        return self.seconds / self.share - self.seconds if self.share > 0 else 0.0


def progress_text(doing: str, rows: int, share: float, rows_per_second: float, seconds_left: float) -> str:
    """A report as one line."""
    return f"{doing}: {rows:,} rows ({share:.0%}), {rows_per_second:,.0f} rows/s, {seconds_left:,.0f} s left"


class Pace:
    """Counts rows, and reports at most every INTERVAL seconds."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._doing, self._last = "", 0
        self._begun = self._reported = time.monotonic()

    def begin(self, doing: str) -> None:
        """A step begins."""
        self._doing, self._last, self._begun = doing, 0, time.monotonic()

    def reading(self, file: str, rows: int, share: float) -> None:
        """So many rows of a file have been read, which are this part of its bytes."""
        doing = f"reading {file}"
        if doing != self._doing:
            self.begin(doing)
        self._at(rows, share)

    def rows(self, done: int, of: int) -> None:
        """So many rows of the step are done. A step may go through the rows more than once: each time counts by itself."""
        self._at(done, done / max(of, 1))

    def _at(self, rows: int, share: float) -> None:
        now = time.monotonic()
        if rows < self._last:
            self._begun = now
        self._last = rows
        # The pace of the first moment says nothing about the rest.
        if now - self._reported >= INTERVAL and now - self._begun >= INTERVAL / 4:
            self._reported = now
            self._report(Progress(self._doing, rows, share, now - self._begun))
