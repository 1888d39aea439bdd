"""Two arms on the same cases: the cases that the second arm fixes, still gets wrong, or newly gets wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.scoring.predictions import Prediction


class CaseChange(StrEnum):
    """How a case changed from the first arm to the second."""

    NEWLY_WRONG = "newly wrong"
    STILL_WRONG = "still wrong"
    FIXED = "fixed"


@dataclass(frozen=True)
class ComparedCase:
    """A case that at least one of the two arms answers incorrectly, with both predictions."""

    change: CaseChange
    before: Prediction
    after: Prediction


def compare_cases(before: Sequence[Prediction], after: Sequence[Prediction]) -> list[ComparedCase]:
    """The cases that both arms answered and at least one got wrong, in the order of `CaseChange`.

    Raises KeyError if `after` lacks a case of `before`.
    """
    order = list(CaseChange)
    return sorted(_wrong_cases(before, after), key=lambda case: order.index(case.change))


def _wrong_cases(before: Sequence[Prediction], after: Sequence[Prediction]) -> Iterator[ComparedCase]:
    later = {prediction.id: prediction for prediction in after}
    for first in before:
        second = later[first.id]
        if first.unanswered or second.unanswered or (first.correct and second.correct):
            continue
        change = CaseChange.FIXED if second.correct else CaseChange.NEWLY_WRONG if first.correct else CaseChange.STILL_WRONG
        yield ComparedCase(change, first, second)
