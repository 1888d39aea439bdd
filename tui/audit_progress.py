"""The progress of an audit on stderr: rows, rate and time left while a file is read, then which check runs and for how long."""

from __future__ import annotations

import sys
import threading
import time

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.core.plain_text import rewrite_line, sanitize
from tuneproof.engine.data.readers import ReadingProgress

INTERVAL = 2.0
"""Seconds between two lines of progress."""

FIRST_CHECK = "equal and near rows"
"""What is worked out between the reading and the first check."""


class AuditProgress:
    """Says every two seconds what is being done. On a terminal one line is written over; into a file each is a line of its own."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()
        self._file, self._rows, self._started = "", 0, 0
        self._doing = ""
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def on_reading(self, progress: ReadingProgress) -> None:
        """Shows how far a file has been read."""
        now = time.monotonic()
        if progress.file != self._file:
            self._file, self._begun, self._doing = progress.file, now, ""
        if now - self._shown >= INTERVAL:
            self._show(reading_line(progress, now - self._begun))

    def on_file(self, file: str, shape: str, rows: int) -> None:
        """Says what a file has been read to."""
        self._clear()
        print(sanitize(f"{file}: {rows:,} rows, {shape}", one_line=True), file=sys.stderr)
        self._rows += rows
        self._do(FIRST_CHECK)

    def on_check(self, name: str) -> None:
        """Says which check runs: at once on a terminal, and elsewhere if it takes long."""
        self._started += 1
        self._do(name)
        if self._live:
            self._show(f"checking: {name} …")

    def end(self) -> None:
        """Stops, and leaves nothing on the line."""
        self._stop.set()
        self._ticker.join()
        self._clear()

    def _do(self, name: str) -> None:
        self._doing, self._begun = name, time.monotonic()

    def _tick(self) -> None:
        while not self._stop.wait(INTERVAL):
            if self._doing and time.monotonic() - self._begun >= INTERVAL:
                seconds = time.monotonic() - self._begun
                self._show(f"checking {self._started} of {len(CHECKS)}: {self._doing}, {self._rows:,} rows, {seconds:,.0f} s")

    def _show(self, line: str) -> None:
        self._shown = time.monotonic()
        if self._live:
            rewrite_line(line)
        else:
            print(sanitize(line, one_line=True), file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._live:
            rewrite_line("")


def reading_line(progress: ReadingProgress, seconds: float) -> str:
    """How far a file has been read after so many seconds: rows, rows in a second, and the time left at this rate."""
    rate = progress.rows / max(seconds, 1e-9)
    left = seconds / progress.share - seconds if progress.share else 0
    return f"reading {progress.file}: {progress.rows:,} rows ({progress.share:.0%}), {rate:,.0f} rows/s, {left:,.0f} s left"
