"""The zero-shot prompt: the instruction, the format in words, the input."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Arm, chat
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.example import Example, Message


class ZeroShot(Arm):
    """The untuned model with the instruction and a description of the output format."""

    name = ArmName.ZERO_SHOT
    is_prompt_baseline = True

    def messages(self, case: Example) -> list[Message]:
        return chat(case, self.context.instruction, self.context.grader.description())
