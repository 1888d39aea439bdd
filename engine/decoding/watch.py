"""What decoding reports to its caller while prompts are being answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuneproof.engine.decoding.completion import Completion

OnPass = Callable[[], None]
"""Called between two passes of the model; what it raises ends the decoding."""


@dataclass(frozen=True)
class Watch:
    """What is called while prompts are answered. What any of these raises ends the decoding."""

    on_progress: Callable[[int, int], None] = lambda done, of: None
    """With the number of finished prompts and the number of all prompts."""
    on_answer: Callable[[int, Completion], None] = lambda at, completion: None
    """With the position of a prompt and its answer, as soon as it has ended."""
    on_pass: OnPass = lambda: None
    """Between two passes of the model."""
