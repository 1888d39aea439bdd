"""What comes back for one request, and whoever it comes from: the base on this machine, or a server elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuneproof.engine.data.example import Message


@dataclass(frozen=True)
class Completion:
    """What the model wrote after one prompt: its text, the tokens of both, and whether it was cut off before its end token.

    A server may not say how many tokens there were (`tokens_told`), may have to be asked several times (`attempts`), and may not answer:
    then `unanswered` says why in a few words, which can be counted, and `server_said` what the server said about it. `ids` are the tokens
    that were written here, the end token included.
    """

    text: str
    prompt_tokens: int
    tokens: int
    truncated: bool
    tokens_told: bool = True
    attempts: int = 1
    unanswered: str = ""
    server_said: str = ""
    ids: tuple[int, ...] = ()


class Backend(Protocol):
    """Whoever answers an arm's requests."""

    def prompt(self, messages: Sequence[Message]) -> str:
        """Exactly what is given for a chat."""

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        """What comes back in the order of the prompts, and the seconds that it took together."""
