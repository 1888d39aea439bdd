"""What one request returns, whether a local model or a remote server answers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuneproof.engine.data.example import Message


@dataclass(frozen=True)
class Completion:
    """The text that a model writes after one prompt, with its token counts; or the reason why there is none."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    """Tokens of the text, including the end-of-sequence token if there is one."""
    truncated: bool
    """The completion stops before an end-of-sequence token, or the prompt does not fit the model's context."""
    usage_known: bool = True
    """False if a server does not report token counts; both counts are 0 then."""
    attempts: int = 1
    """Requests sent for this completion; more than 1 only for a server."""
    error: str = ""
    """Why a server gives no completion, as one of few short reasons that can be counted; empty if it gives one."""
    error_detail: str = ""
    """The server's own message about the error."""
    output_ids: tuple[int, ...] = ()
    """Token ids of a local model's completion, including the end-of-sequence token; empty for a server."""


class Backend(Protocol):
    """A source of completions for the requests of an arm."""

    def prompt(self, messages: Sequence[Message]) -> str:
        """The exact text that is sent for a chat."""

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, and the total seconds they took.

        `on_progress` is called with the number of finished prompts and the number of all prompts.
        """
