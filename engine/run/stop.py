"""A request to stop the run, made by a signal and checked where stopping is safe."""

from __future__ import annotations

from tuneproof.engine.core.errors import Interrupted


class StopRequest:
    """Whether a stop of the run is requested; checked between steps and batches."""

    def __init__(self) -> None:
        # Not a threading.Event: a second signal that arrives while the first one's handler sets it would wait for its lock forever.
        self._requested = False

    def request(self) -> None:
        """Requests a stop at the next safe place."""
        self._requested = True

    @property
    def requested(self) -> bool:
        """Whether a stop is requested."""
        return self._requested

    def check(self) -> None:
        """Raises Interrupted if a stop is requested."""
        if self.requested:
            raise Interrupted("stopped on request", fix="add --resume to continue")
