"""The plain prompt: the instruction, the format in words, the input."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Setting, chat
from tuneproof.engine.data.example import Example, Message


class ZeroShot:
    """The untuned model with the instruction and a description of the output format."""

    name = "zero_shot"
    is_prompt_baseline = True

    def __init__(self, setting: Setting) -> None:
        self._instruction = setting.instruction
        self._description = setting.judge.description()

    def messages(self, case: Example) -> list[Message]:
        return chat(case, self._instruction, self._description)
