"""The optimised prompt: an instruction and examples that a search found to answer validation cases best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from tuneproof.engine.arms.arm import Arm, ArmContext
from tuneproof.engine.arms.few_shot import DEFAULT_SHOTS, SHOT_COUNTS, FewShot, ShotPool, ShotSelection
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.endpoint.server import Server, resolve_server

LIBRARY = "gepa"
"""The library that searches: GEPA, reflective prompt evolution (Agrawal et al. 2025, arXiv 2507.19457)."""

NO_EXAMPLES = "none"


@dataclass(frozen=True)
class Examples:
    """Which train rows a prompt shows: how many, chosen how, and for fixed ones in the order of which shuffle."""

    count: int = 0
    selection: ShotSelection = ShotSelection.FIXED
    seed: int | None = None

    def __str__(self) -> str:
        if not self.count:
            return NO_EXAMPLES
        return f"{self.count} {self.selection}" + ("" if self.seed is None else f" {self.seed}")

    @classmethod
    def parse(cls, text: str) -> Examples:
        """The examples that a text like `4 fixed 17` names. Raises ValueError for any other text."""
        if text == NO_EXAMPLES:
            return cls()
        count, selection, *seed = text.split()
        return cls(int(count), ShotSelection(selection), int(seed[0]) if seed else None)

    def other(self, rows: int, random: Random) -> Examples:
        """Other examples, drawn at random from those that `rows` train rows allow."""
        counts = [0, *(count for count in SHOT_COUNTS if count <= rows)]
        while True:
            drawn = Examples(random.choice(counts), random.choice(list(ShotSelection)), random.randrange(10_000))
            if drawn.count == 0 or drawn.selection is ShotSelection.NEAREST:
                drawn = Examples(drawn.count, drawn.selection if drawn.count else ShotSelection.FIXED)
            if drawn != self:
                return drawn


@dataclass(frozen=True)
class PromptCandidate:
    """A prompt that the search tries: what the first turn says before the input, and the examples."""

    instruction: str
    examples: Examples = Examples()


class OptimisedPrompt(FewShot):
    """The untuned model with an instruction and examples that GEPA searched on train and validation: a model rewrites the instruction from
    its mistakes. That model is the endpoint of the case, which then reads train rows, else the base."""

    name = ArmName.OPTIMISED_PROMPT

    def __init__(self, context: ArmContext, candidate: PromptCandidate | None = None, pool: ShotPool | None = None) -> None:
        self.candidate = candidate or PromptCandidate(_first_instruction(context))
        examples = self.candidate.examples
        super().__init__(replace(context, instruction=""), examples.count, examples.selection, pool, examples.seed)
        self._given = context
        self.proposer: Server | None = None if context.endpoint is None else resolve_server(context.endpoint)
        endpoint = self.proposer and [self.proposer.url, self.proposer.settings.model, self.proposer.settings.body]
        self.inputs = {"prompt_search": sha256_data([context.prompt_search.model_dump(), endpoint])}
        if not examples.count:
            self.summary = "no examples"

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError if the library is not installed, no rows are left for validation, or the endpoint has no URL."""
        where = f"baselines: {ArmName.OPTIMISED_PROMPT}"
        if not hardware.is_installed(LIBRARY):
            raise CaseError(f"{LIBRARY}, which searches the prompt, is not installed", where=where, fix="pip install 'tuneproof[optimise]'")
        if case.data is not None and not case.data.split.validation:
            raise CaseError("the search needs validation cases", where=where, fix="set `data.split.validation` above 0")
        if case.endpoint is not None:
            resolve_server(case.endpoint)

    def starts(self) -> list[OptimisedPrompt]:
        """The prompts that a search begins with, lightest first: that of zero_shot, and the same with a few examples."""
        plain = self.candidate.instruction
        counts = [0, *([DEFAULT_SHOTS] if len(self.pool.rows) >= DEFAULT_SHOTS else [])]
        return [self.with_candidate(PromptCandidate(plain, Examples(count))) for count in counts]

    def with_candidate(self, candidate: PromptCandidate) -> OptimisedPrompt:
        """The arm with another prompt."""
        return OptimisedPrompt(self._given, candidate, self.pool)

    def format_description(self) -> str:
        """The instruction of the prompt, which says what the output is as well."""
        return self.candidate.instruction

    def variants(self) -> Mapping[str, Arm]:
        """The prompts that the search begins with; what else is tried, the search decides."""
        return {f"start {number}": start for number, start in enumerate(self.starts(), 1)}


def _first_instruction(context: ArmContext) -> str:
    """What zero_shot says before the input, without the instructions that rows have of their own."""
    is_used = any(not example.instruction for example in context.train) or not context.train
    parts = (context.instruction if is_used else "", context.grader.description())
    return "\n".join(part for part in parts if part)
