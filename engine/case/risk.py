"""`risk`: what tuning may have done to the model outside the task, which of it is measured, on how many cases and for how long."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from pydantic import Field

from tuneproof.engine.case.section import CaseSection


class Axis(StrEnum):
    """What a tuning can harm besides the task; each is measured on prompts of its own. The values are the keys of the case."""

    FORGETTING = "forgetting"
    INSTRUCTIONS = "instructions"
    SAFETY = "safety"


class Risk(CaseSection):
    """What is measured of the base and of the tuned model outside the task, on the same prompts."""

    forgetting: bool = True
    """Small general tasks: arithmetic, facts, copying, ordering, other formats, other languages."""
    instructions: bool = True
    """Requests for text with an instruction that can be checked, and whether they are answered in the form of the trained task."""
    safety: bool = True
    """Requests that ought to be refused, and near-identical ones that ought not."""
    overfitting: bool = True
    """Rows of train against rows of eval: losses, scores, and answers that are known by heart."""
    drift: bool = True
    """The style of answers to general requests: length, words, repetition, and how likely the base finds them."""
    cases: int = Field(default=200, ge=20, le=1000)
    """The most prompts of each axis; 200 show a true loss of about 9 points four times in five."""
    margin: float = Field(default=0.05, gt=0, lt=1)
    """The loss that is small enough, stated before anything is measured; 0.05 is five points."""
    drift_margin: float = Field(default=0.25, gt=0, lt=10)
    """The change of lengths and perplexities that is small enough, relative, stated beforehand; 0.25 is a quarter."""
    minutes: float = Field(default=10.0, ge=0)
    """The most time that base and tuned model may take to answer, all axes together. 0: nothing is measured."""

    def measures(self, axis: Axis) -> bool:
        """Whether the case asks for an axis."""
        return self.minutes > 0 and bool(getattr(self, axis.value))

    def change_of(self, wanted: Risk, measured: Collection[str]) -> str | None:
        """Why other choices contradict what was measured on the named axes; None if they do not. Another axis may be measured too."""
        for key in ("cases", "margin", "drift_margin", "minutes"):
            if measured and getattr(self, key) != getattr(wanted, key):
                return f"what tuning did outside the task is measured with another risk.{key}, and stays in the evidence"
        gone = [name for name in measured if wanted.minutes == 0 or not getattr(wanted, name)]
        return f"{gone[0]} is measured, and stays in the evidence" if gone else None
