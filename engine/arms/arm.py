"""What an arm is: how a case becomes a request. It does not decode, score, store or loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.scoring.outputs import Judge


@dataclass(frozen=True)
class Setting:
    """What arms are made from: the task's instruction, the judge that describes the format, the train part, and whether a prompt fits."""

    instruction: str
    judge: Judge
    train: Sequence[Example]
    fits: Callable[[Sequence[Message]], bool]
    seed: int


class Arm(Protocol):
    """One system that is scored on the frozen eval set."""

    name: str
    is_prompt_baseline: bool

    def messages(self, case: Example) -> list[Message]:
        """The chat that asks for the case's output."""


def request_text(case: Example, instruction: str, description: str = "") -> str:
    """What the user says: the instruction (the row's own before the task's), the format, then the input.

    What all cases share comes first, so that it has to be encoded only once.
    """
    head = "\n".join(part for part in (case.instruction or instruction, description) if part)
    return "\n\n".join(part for part in (head, case.input) if part)


def chat(case: Example, instruction: str, description: str = "") -> list[Message]:
    """The whole chat of a case: system, the turns before, and the request; the instruction goes with the first user turn."""
    system = [Message("system", case.system)] if case.system else []
    if not case.history:
        return [*system, Message("user", request_text(case, instruction, description))]
    head = "\n".join(part for part in (case.instruction or instruction, description) if part)
    first = next((at for at, turn in enumerate(case.history) if turn.role == "user"), None)
    history = [Message(turn.role, f"{head}\n\n{turn.content}") if at == first and head else turn for at, turn in enumerate(case.history)]
    return [*system, *history, Message("user", case.input)]
