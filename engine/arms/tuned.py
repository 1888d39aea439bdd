"""The tuned model with the short prompt that it was trained on."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Setting, chat
from tuneproof.engine.data.example import Example, Message


class Tuned:
    """The model with its adapter; the format is not described, because the adapter has learned it."""

    name = "tuned"
    is_prompt_baseline = False

    def __init__(self, setting: Setting) -> None:
        self._instruction = setting.instruction

    def messages(self, case: Example) -> list[Message]:
        return chat(case, self._instruction)
