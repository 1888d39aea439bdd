"""The progress of an audit on stderr: rows, rate and time left while a file is read and while each check goes through the rows."""

from __future__ import annotations

import sys
import threading
import time

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.core.plain_text import rewrite_line, sanitize
from tuneproof.engine.data.pace import INTERVAL, Pace, Progress, progress_text
from tuneproof.engine.data.readers import ReadingProgress

FIRST_STEP = "comparing rows with each other"
"""What is worked out between the reading and the first check."""


class AuditProgress:
    """Says every two seconds what is being done. On a terminal one line is written over; into a file each is a line of its own."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()
        self._rows, self._started = 0, 0
        self._doing = ""
        self._pace = Pace(self._show_progress)
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def on_reading(self, progress: ReadingProgress) -> None:
        """Shows how far a file has been read."""
        self._doing = ""
        self._pace.reading(progress.file, progress.rows, progress.share)

    def on_file(self, file: str, shape: str, rows: int) -> None:
        """Says what a file has been read to."""
        self._clear()
        print(sanitize(f"{file}: {rows:,} rows, {shape}", one_line=True), file=sys.stderr)
        self._rows += rows
        self._do(FIRST_STEP)

    def on_check(self, name: str) -> None:
        """Says which check runs: at once on a terminal, and elsewhere if it takes long."""
        self._started += 1
        self._do(f"checking {self._started} of {len(CHECKS)}: {name}" if name in CHECKS else name)
        if self._live:
            self._show(f"{self._doing} …")

    def on_rows(self, done: int, of: int) -> None:
        """Shows how far a check has gone through the rows."""
        self._pace.rows(done, of)

    def end(self) -> None:
        """Stops, and leaves nothing on the line."""
        self._stop.set()
        self._ticker.join()
        self._clear()

    def _do(self, doing: str) -> None:
        self._doing, self._begun = doing, time.monotonic()
        self._pace.begin(doing)

    def _show_progress(self, progress: Progress) -> None:
        self._show(progress_text(progress.doing, progress.rows, progress.share, progress.rows_per_second, progress.seconds_left))

    def _tick(self) -> None:
        """Says how long a step has taken that does not go through the rows one by one."""
        while not self._stop.wait(INTERVAL):
            now = time.monotonic()
            if self._doing and now - self._begun >= INTERVAL and now - self._shown >= INTERVAL:
                self._show(f"{self._doing}: {self._rows:,} rows, {now - self._begun:,.0f} s")

    def _show(self, line: str) -> None:
        self._shown = time.monotonic()
        if self._live:
            rewrite_line(line)
        else:
            print(sanitize(line, one_line=True), file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._live:
            rewrite_line("")
