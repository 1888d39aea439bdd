"""One line with what the run is busy with, how much of it is done, and the time left; not there while nothing takes long."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.timer import Timer

from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.work import Work
from tuneproof.engine.run.work_in_progress import WorkInProgress
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitized_content

TICK_SECONDS = 1.0

SHOWN_AFTER = 1.0
"""Seconds that a piece of work has to have taken, so that the line does not come and go with what takes no time."""


class WorkBar(MemoizedStatic):
    """Shows the work in progress of the newest state that it was given, and counts the seconds between two events."""

    DEFAULT_CSS = "WorkBar { display: none; height: 1; padding: 0 1; color: $rate; text-wrap: nowrap; text-overflow: ellipsis; }"

    _state: RunState | None = None
    _timer: Timer | None = None

    def __init__(self, line: Callable[[WorkInProgress, float], str]) -> None:
        """`line` gives the text for the work at a time in seconds since 1970."""
        super().__init__(id="work")
        self._line = line

    def show(self, state: RunState) -> None:
        """Draws the line for a state, and keeps it up to date."""
        self._state = state
        self._draw()

    def on_unmount(self) -> None:
        self._stop()

    def _draw(self) -> None:
        work, now = self._state.work if self._state is not None else None, time.time()
        self.display = work is not None and (work.work is Work.TRAINING or work.elapsed(now) >= SHOWN_AFTER)
        if work is None:
            self._stop()
            return
        self.update(sanitized_content(self._line(work, now), one_line=True), layout=False)
        # A step of a training is an event, and drawing takes time from it.
        if work.work is Work.TRAINING:
            self._stop()
        elif self._timer is None:
            self._timer = self.set_interval(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        if self.screen.is_current:
            self._draw()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
