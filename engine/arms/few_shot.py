"""The prompt with examples: the plain prompt after a few solved rows of the train part."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.arms.arm import Arm, Setting, chat, request_text
from tuneproof.engine.data.example import Example, Message, duplicate_key
from tuneproof.engine.data.split import shuffled

SHOTS = 4


class FewShot(Arm):
    """The untuned model that is shown solved examples as earlier turns; as many of four as fit the model's context."""

    name = "few_shot"
    is_prompt_baseline = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._description = setting.judge.description()
        self.shots = choose_shots(setting.train, SHOTS, setting.seed)

    def messages(self, case: Example) -> list[Message]:
        own = duplicate_key(case)
        shots = [shot for shot in self.shots if duplicate_key(shot) != own]
        while shots and not self.setting.fits(self._with(shots, case)):
            shots.pop()
        return self._with(shots, case)

    def _with(self, shots: Sequence[Example], case: Example) -> list[Message]:
        """The format is described once, in the first turn; an instruction is repeated only where it is another one."""
        if not shots:
            return chat(case, self.setting.instruction, self._description)
        told, turns = None, [Message("system", case.system)] if case.system else []
        for shot in shots:
            instruction = shot.instruction or self.setting.instruction
            description = "" if told is not None else self._description
            turns.append(Message("user", _ask(shot, instruction, told, description)))
            turns.append(Message("assistant", shot.output))
            told = instruction
        instruction = case.instruction or self.setting.instruction
        if case.history:
            return [*turns, *chat(case, self.setting.instruction)]
        return [*turns, Message("user", _ask(case, instruction, told, ""))]


def _ask(row: Example, instruction: str, told: str | None, description: str) -> str:
    return row.input if instruction == told else request_text(row, instruction, description)


def choose_shots(train: Sequence[Example], count: int, seed: int) -> list[Example]:
    """The first rows in a shuffle by content that have no turns before them, different outputs before repeated ones."""
    single = [e for e in shuffled(train, seed) if not e.history]
    chosen: dict[str, Example] = {}
    for example in single:
        chosen.setdefault(example.output, example)
        if len(chosen) == count:
            return list(chosen.values())
    repeated = [e for e in single if chosen[e.output] is not e]
    return [*chosen.values(), *repeated][:count]
