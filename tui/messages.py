"""What the screens can be told."""

from __future__ import annotations

from textual.message import Message

from tuneproof.engine.run.state import RunState


class RunChanged(Message):
    """The run stands otherwise than before; holds no delta, so only the newest one matters."""

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunChanged)


class DryRunChanged(Message):
    """The state of the dry run has changed."""

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DryRunChanged)
