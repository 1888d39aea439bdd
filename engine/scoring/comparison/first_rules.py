"""What an answer is by the first rules of grading, which hold for runs that began with them."""

from __future__ import annotations

from tuneproof.engine.data.reasoning import THINK_CLOSE, THINK_OPEN


def first_answer_of(output: str) -> str:
    """An output without one block of reasoning at its start, which ends at the first closing mark."""
    opened = output.lstrip().startswith(THINK_OPEN)
    inside, close, answer = output.partition(THINK_CLOSE)
    if not opened and (not close or THINK_OPEN in inside):
        return output
    return answer.lstrip("\n")
