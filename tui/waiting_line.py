"""What a run is busy with, on stderr: on a terminal one line that is written over, elsewhere a line of its own now and then."""

from __future__ import annotations

import sys

from tuneproof.engine.core.plain_text import rewrite_line, sanitize
from tuneproof.engine.run.state import RunState
from tuneproof.tui.work_line import stopping_text, work_line

SHOWN_AFTER = 2.0
"""Seconds that a piece of work has to have taken."""

LIVE_SECONDS, LINE_SECONDS = 1.0, 10.0
"""Between two lines: on a terminal, and in a file that all of them stay in."""


class WaitingLine:
    """The line for the work in progress of a state."""

    def __init__(self, state: RunState) -> None:
        self._state, self._live = state, sys.stderr.isatty()
        self._shown, self._is_there = 0.0, False
        self._began: float | None = None

    def show(self, now: float) -> None:
        """Shows the work as it is now, in seconds since 1970, if it takes long and the last line is old enough."""
        work = self._state.work
        if work is None or work.elapsed(now) < SHOWN_AFTER:
            return
        is_other, self._began = self._began != work.began, work.began
        if not is_other and now - self._shown < (LIVE_SECONDS if self._live else LINE_SECONDS):
            return
        self._shown = now
        line = f"  {stopping_text(self._state) if self._state.stopping else work_line(work, now)}"
        if self._live:
            rewrite_line(line)
            self._is_there = True
        else:
            print(sanitize(line, one_line=True), file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leaves nothing on the line of a terminal, for a line that stays."""
        if self._is_there:
            rewrite_line("")
            self._is_there = False
            self._shown = 0.0
