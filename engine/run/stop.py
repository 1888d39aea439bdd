"""The wish that a run should stop, carried from a signal to the places where stopping is safe."""

from __future__ import annotations

from tuneproof.engine.core.errors import Interrupted


class StopRequest:
    """Whether the run was asked to stop; looked at between steps and batches."""

    def __init__(self) -> None:
        # No threading.Event: a second signal, while the first one's handler sets it, would wait for its lock for ever.
        self._asked = False

    def ask(self) -> None:
        """Asks for a stop at the next safe place."""
        self._asked = True

    @property
    def asked(self) -> bool:
        """Whether a stop was asked for."""
        return self._asked

    def check(self) -> None:
        """Raises Interrupted where a stop was asked for."""
        if self.asked:
            raise Interrupted("stopped as asked", fix="add --resume to go on")
