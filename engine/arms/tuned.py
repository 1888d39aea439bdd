"""The tuned model with the short prompt that it was trained on."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Arm, chat
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import Case
from tuneproof.engine.data.example import Example, Message


class Tuned(Arm):
    """The model with its adapter; the format is not described, because the adapter has learned it."""

    name = ArmName.TUNED

    @classmethod
    def is_requested(cls, case: Case) -> bool:
        """Wherever something was trained: it is what the verdict is about."""
        return True

    def messages(self, case: Example) -> list[Message]:
        return chat(case, self.setting.instruction)
