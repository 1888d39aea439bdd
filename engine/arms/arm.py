"""What an arm is: how a case becomes a request, and what constrains the answer. An arm does not decode, score or store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.evaluate import PromptSearch
from tuneproof.engine.case.schema import Case, DraftCase
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.messages import ToolOffer, ToolUse
from tuneproof.engine.endpoint.server import Server
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.scores import Scores

PLACEHOLDER_SOURCE = Source("", 0)

PRICED_REQUESTS = 1000
"""Number of requests that a price is given for."""


@dataclass(frozen=True)
class ArmContext:
    """What an arm is made from: the task, its grader, and the train part."""

    instruction: str
    grader: Grader
    """Describes the output format to the model."""
    train: Sequence[Example]
    fits: Callable[[Sequence[Message]], bool]
    """Whether a prompt and `max_new_tokens` fit in the context of the model."""
    seed: int
    output: OutputFormat = field(default_factory=lambda: OutputFormat(kind=OutputKind.TEXT))
    validation: Sequence[Example] = ()
    """The validation part, whose outputs a grammar must not exclude."""
    documents: str | None = None
    """The folder of documents, for retrieval."""
    endpoint: Endpoint | None = None
    prompt_search: PromptSearch = field(default_factory=PromptSearch)
    """The limits of the search for a better prompt."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """The variant that validation chose for each arm that was scored before, by the name of the arm."""


@dataclass(frozen=True)
class Request:
    """The chat for one case, and where its examples or passages come from."""

    messages: list[Message]
    shown: tuple[str, ...] = ()
    """The examples or passages in the prompt, as file:line."""
    needed: tuple[str, ...] = ()
    """The documents that the case names as the source of its answer."""
    left_out: int = 0
    """Number of examples that were left out as near duplicates of the case."""


class Arm(ABC):
    """One system that is scored on the frozen eval set."""

    name: ClassVar[str]
    """The name of the arm: an `ArmName`, or that of a prompt of the case."""
    is_prompt_baseline: ClassVar[bool] = False
    """Whether the arm counts as a prompt baseline, without which there is no training."""

    is_external: ClassVar[bool] = False
    """Whether a model other than the base answers; its tokens are not comparable."""

    server: Server | None = None
    """The server that answers; None if the base answers on this machine."""

    grammar: str | None = None
    """The grammar that constrains decoding, in llguidance's format; None for unconstrained decoding."""

    labels: Sequence[str] = ()
    """The labels that are scored, of which the most likely is the answer; empty if the answer is decoded."""

    summary: str = ""
    """How the arm was set up, in a sentence for the card."""

    def __init__(self, context: ArmContext) -> None:
        self.context = context
        self.inputs: Mapping[str, str] = {}
        """Digests of what the arm reads besides the frozen parts and the task."""

    @property
    def ends_with_document(self) -> bool:
        """Whether an answer ends where its JSON document closes; a grammar ends its answers itself."""
        return self.context.output.kind is OutputKind.JSON and self.grammar is None

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError if the case lacks what the arm needs; called before the run starts."""
        return

    @classmethod
    def is_requested(cls, case: DraftCase) -> bool:
        """Whether the case asks for the arm: an untuned one if `baselines` lists it."""
        return cls.name in case.baselines

    @classmethod
    def usd_per_1000_requests(cls, case: Case, scores: Scores) -> float | None:
        """The price of the machine, in USD per 1,000 requests, at the measured speed; None without `budget.usd_per_gpu_hour`."""
        usd_per_hour = case.budget.usd_per_gpu_hour
        return round(usd_per_hour * scores.seconds_per_case * PRICED_REQUESTS / 3600, 6) if usd_per_hour is not None else None

    def variants(self) -> Mapping[str, Arm]:
        """The variants of the arm by name, lightest first, of which validation cases select one. Empty if there is only one."""
        return {}

    @abstractmethod
    def messages(self, case: Example) -> list[Message]:
        """The chat for one case."""

    def requests(self, cases: Sequence[Example]) -> list[Request]:
        """The requests for the cases, in their order."""
        return [Request(self.messages(case)) for case in cases]

    def template(self) -> list[Message]:
        """The chat with placeholders in braces, for a person to copy and use."""
        return self.messages(self.placeholder())

    def placeholder(self) -> Example:
        """A case of placeholders; the instruction is one too if train rows have their own. Tools that all rows offer are offered."""
        has_own = any(example.instruction for example in self.context.train)
        offered = {example.tool_use.tools if example.tool_use is not None else () for example in self.context.train}
        tool_use = ToolUse(tools=offered.pop()) if len(offered) == 1 and () not in offered else None
        return Example("{instruction}" if has_own else "", "{input}", "", PLACEHOLDER_SOURCE, tool_use=tool_use)


def request_text(case: Example, instruction: str, description: str = "", context: str = "") -> str:
    """The user message: the instruction (the row's own, else the task's), the format, the retrieved context, then the input.

    What all cases share comes first, so that its KV cache is shared.
    """
    head = "\n".join(part for part in (case.instruction or instruction, description) if part)
    return "\n\n".join(part for part in (head, context, case.input) if part)


def chat(case: Example, instruction: str, description: str = "", context: str = "") -> list[Message]:
    """The chat of a case: tools, system message, history, request, and what was called since; the first user turn has the instruction."""
    opening = opening_turns(case)
    if not case.history:
        return [*opening, Message("user", request_text(case, instruction, description, context)), *case.turns_after_input]
    head = "\n".join(part for part in (case.instruction or instruction, description) if part)
    first = next((at for at, turn in enumerate(case.history) if turn.role == "user"), None)
    history = [Message(turn.role, f"{head}\n\n{turn.content}") if at == first and head else turn for at, turn in enumerate(case.history)]
    asked = Message("user", "\n\n".join(part for part in (context, case.input) if part))
    return [*opening, *history, asked, *case.turns_after_input]


def opening_turns(case: Example) -> list[Message]:
    """What stands before the conversation of a case: the tools that it offers, and its system text."""
    tools = case.tool_use.tools if case.tool_use is not None else ()
    return [*([ToolOffer(tools=tools)] if tools else []), *([Message("system", case.system)] if case.system else [])]
