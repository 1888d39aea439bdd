"""A stop of the run that also comes when the time for something is spent."""

from __future__ import annotations

import time

from tuneproof.engine.run.stop import StopRequest


class OutOfTime(Exception):
    """The time for this piece of work is spent; what it was spent on does not count, and its seconds do."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class TimedStop(StopRequest):
    """The stop of the run, and an end of time that is counted from the first pass of the model."""

    def __init__(self, stop: StopRequest, seconds: float) -> None:
        super().__init__()
        self._stop, self._seconds, self._began = stop, seconds, 0.0

    def check(self) -> None:
        """Raises Interrupted if a stop is requested, and OutOfTime if the time is spent."""
        self._stop.check()
        now = time.monotonic()
        self._began = self._began or now
        if now - self._began > self._seconds:
            raise OutOfTime(now - self._began)
