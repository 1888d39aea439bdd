"""What an arm is: how a case becomes a request, and what its answer must look like. It does not decode, score, store or loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.endpoint.server import Server
from tuneproof.engine.scoring.judges import Judge
from tuneproof.engine.scoring.predictions import Scores

PLACEHOLDER_SOURCE = Source("", 0)

PRICED_REQUESTS = 1000
"""How many requests a price is told for."""


@dataclass(frozen=True)
class ArmContext:
    """What arms are made from: the task, the judge that describes the format, the train part, and whether a prompt fits.

    `fits` also leaves `max_new_tokens` for the answer.
    """

    instruction: str
    judge: Judge
    train: Sequence[Example]
    fits: Callable[[Sequence[Message]], bool]
    seed: int
    output: OutputFormat = field(default_factory=lambda: OutputFormat(kind=OutputKind.TEXT))
    documents: str | None = None
    endpoint: Endpoint | None = None


@dataclass(frozen=True)
class Request:
    """What the model is asked for one case: the chat, and where what is shown beside the case comes from (file and line).

    `needed` names the documents that the case says its answer stands in; `left_out` counts the solved examples that are not shown because
    they are nearly the case itself.
    """

    messages: list[Message]
    shown: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    left_out: int = 0


class Arm(ABC):
    """One system that is scored on the frozen eval set."""

    name: ClassVar[ArmName]
    is_prompt_baseline: ClassVar[bool] = False

    is_external: ClassVar[bool] = False
    """Whether another model than the base answers, whose tokens are its own."""

    server: Server | None = None
    """The server that is asked; none where the base answers on this machine."""

    grammar: str | None = None
    """What answers are held to while they are decoded, as llguidance reads it; none where the model is free."""

    labels: Sequence[str] = ()
    """The answers of which the likeliest is taken, where there are few that are right; nothing is decoded then."""

    summary: str = ""
    """What was settled when the arm was made, in a sentence for the card."""

    def __init__(self, setting: ArmContext) -> None:
        self.setting = setting
        self.inputs: Mapping[str, str] = {}
        """Digests of what the arm reads beyond the frozen parts and the task."""

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError where the case lacks what the arm needs, before anything is run."""
        return

    @classmethod
    def is_requested(cls, case: Case) -> bool:
        """Whether the arm is scored: an untuned one where `baselines` names it."""
        return cls.name in case.baselines

    @classmethod
    def usd_per_1000_requests(cls, case: Case, scores: Scores) -> float | None:
        """What the machine costs for so long, at the rate measured here; none where `budget.usd_per_gpu_hour` is not given."""
        usd_per_hour = case.budget.usd_per_gpu_hour
        return round(usd_per_hour * scores.seconds_per_case * PRICED_REQUESTS / 3600, 6) if usd_per_hour is not None else None

    def variants(self) -> Mapping[str, Arm]:
        """The ways to ask, by their names, of which validation cases choose one; lightest first. Empty where there is one way."""
        return {}

    @abstractmethod
    def messages(self, case: Example) -> list[Message]:
        """The chat that asks for the case's output."""

    def requests(self, cases: Sequence[Example]) -> list[Request]:
        """What is asked for each of the cases."""
        return [Request(self.messages(case)) for case in cases]

    def template(self) -> list[Message]:
        """The chat with places in braces for what differs from case to case: what a person copies out and uses."""
        return self.messages(self.placeholder())

    def placeholder(self) -> Example:
        """A case that has only places; its instruction is one too where rows bring their own."""
        own = any(example.instruction for example in self.setting.train)
        return Example("{instruction}" if own else "", "{input}", "", PLACEHOLDER_SOURCE)


def request_text(case: Example, instruction: str, description: str = "", context: str = "") -> str:
    """What the user says: the instruction (the row's own before the task's), the format, what was looked up, then the input.

    What all cases share comes first, so that it has to be encoded only once.
    """
    head = "\n".join(part for part in (case.instruction or instruction, description) if part)
    return "\n\n".join(part for part in (head, context, case.input) if part)


def chat(case: Example, instruction: str, description: str = "", context: str = "") -> list[Message]:
    """The whole chat of a case: system, the turns before, and the request; the instruction goes with the first user turn."""
    system = [Message("system", case.system)] if case.system else []
    if not case.history:
        return [*system, Message("user", request_text(case, instruction, description, context))]
    head = "\n".join(part for part in (case.instruction or instruction, description) if part)
    first = next((at for at, turn in enumerate(case.history) if turn.role == "user"), None)
    history = [Message(turn.role, f"{head}\n\n{turn.content}") if at == first and head else turn for at, turn in enumerate(case.history)]
    return [*system, *history, Message("user", "\n\n".join(part for part in (context, case.input) if part))]
