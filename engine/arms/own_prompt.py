"""A prompt of your own: exactly the turns that the case gives, with the input in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from tuneproof.engine.arms.arm import Arm, ArmContext, opening_turns
from tuneproof.engine.case.arm_names import OWN_PROMPT
from tuneproof.engine.case.prompts import Prompt
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Example, Message


class OwnPrompt(Arm):
    """The untuned model with a prompt of your own, to which nothing is added."""

    is_prompt_baseline = True
    prompt: ClassVar[Prompt]

    def __init__(self, context: ArmContext) -> None:
        super().__init__(context)
        self.inputs = {"prompt": sha256_data(self.prompt.model_dump())}
        self.summary = "your own prompt"

    @classmethod
    def is_requested(cls, case: DraftCase) -> bool:
        """Whether the case has the prompt."""
        return cls.name.removeprefix(OWN_PROMPT) in case.prompts

    def variants(self) -> dict[str, Arm]:
        """The prompt alone: its answers to the validation cases are compared with those of the other prompts."""
        return {self.name.removeprefix(OWN_PROMPT): self}

    def messages(self, case: Example) -> list[Message]:
        opening = opening_turns(replace(case, system=self.prompt.system or case.system))
        return [*opening, *case.history, Message("user", self.prompt.filled(case.input)), *case.turns_after_input]


def own_prompt_arms(case: DraftCase) -> dict[str, type[Arm]]:
    """An arm for each prompt of the case, in the order of the case."""
    return {
        f"{OWN_PROMPT}{name}": type(f"OwnPrompt_{name}", (OwnPrompt,), {"name": f"{OWN_PROMPT}{name}", "prompt": prompt})
        for name, prompt in case.prompts.items()
    }
