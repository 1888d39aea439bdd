"""The wish that a run should stop, carried from a signal to the places where stopping is safe."""

from __future__ import annotations

import threading

from tuneproof.engine.errors import Interrupted


class StopRequest:
    """Whether the run was asked to stop; looked at between steps and batches."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Asks for a stop at the next safe place."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether a stop was asked for."""
        return self._asked.is_set()

    def check(self) -> None:
        """Raises Interrupted where a stop was asked for."""
        if self.asked:
            raise Interrupted("stopped as asked", fix="add --resume to go on")
