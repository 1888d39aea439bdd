"""Whether the instruction of a task is there, and long enough to say what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.case.task import OutputKind, Task

FEWEST_WORDS = {
    OutputKind.TEXT: 5,
    OutputKind.JSON: 3,
    OutputKind.CHOICE: 3,
    OutputKind.LABELS: 3,
    OutputKind.PATTERN: 3,
    OutputKind.TOOL_CALLS: 3,
}
"""Words that an instruction needs. The format of a text is not described to the model by anything else, so it needs more."""

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
"""A word; in scripts without spaces, a character."""


class InstructionFault(StrEnum):
    """What is wrong with an instruction."""

    MISSING = "missing"
    SHORT = "short"


@dataclass(frozen=True)
class InstructionGap:
    """An instruction that leaves the model to guess what to do, which makes every untuned arm look worse than it has to."""

    fault: InstructionFault
    message: str


def instruction_gap(task: Task, rows_without_own: int) -> InstructionGap | None:
    """What is wrong with the instruction of the task, which the rows without one of their own get; None if nothing is."""
    if not rows_without_own:
        return None
    words, needed = len(WORD.findall(task.instruction or "")), FEWEST_WORDS[task.output.kind]
    if not words:
        message = "task.instruction is missing: untuned arms have to guess what to do, so the gain of tuning is overstated."
        return InstructionGap(InstructionFault.MISSING, message)
    if words < needed:
        counted = f"{words} word" if words == 1 else f"{words} words"
        message = f"task.instruction has {counted}, and an output of kind {task.output.kind} needs {needed} or more: untuned arms have to "
        return InstructionGap(InstructionFault.SHORT, message + "guess the rest, so the gain of tuning is overstated.")
    return None
