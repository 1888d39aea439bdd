"""The messages that the app posts to its screens."""

from __future__ import annotations

from textual.message import Message

from tuneproof.engine.run.state import RunState


class RunChanged(Message):
    """The state of the run has changed. It carries the whole state, so only the newest message matters."""

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunChanged)


class DryRunChanged(Message):
    """The state of the dry run of the draft has changed."""

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DryRunChanged)
