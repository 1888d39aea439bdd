"""The tuned model with the prompt that it was trained on."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Arm, chat
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.data.example import Example, Message


class Tuned(Arm):
    """The tuned model. Its prompt does not describe the format, which training has taught it."""

    name = ArmName.TUNED

    @classmethod
    def is_requested(cls, case: DraftCase) -> bool:
        """Always: the verdict is about this arm."""
        return True

    def messages(self, case: Example) -> list[Message]:
        return chat(case, self.context.instruction)
