"""Two arms on the same cases: what the second mended, what it did not, and what it broke."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.scoring.predictions import Prediction


class CaseChange(StrEnum):
    """What became of a case."""

    NEWLY_WRONG = "newly wrong"
    STILL_WRONG = "still wrong"
    FIXED = "fixed"


@dataclass(frozen=True)
class ComparedCase:
    """A case that at least one of the two arms got wrong."""

    change: CaseChange
    before: Prediction
    after: Prediction


def compare_cases(before: Sequence[Prediction], after: Sequence[Prediction]) -> list[ComparedCase]:
    """The cases that both answered and either got wrong: first those that are newly wrong, then still wrong, then fixed.

    Raises KeyError where the two were not asked the same cases.
    """
    found = list(_compared(before, after))
    order = list(CaseChange)
    return sorted(found, key=lambda case: order.index(case.change))


def _compared(before: Sequence[Prediction], after: Sequence[Prediction]) -> Iterator[ComparedCase]:
    later = {prediction.id: prediction for prediction in after}
    for first in before:
        second = later[first.id]
        if first.unanswered or second.unanswered or (first.correct and second.correct):
            continue
        change = CaseChange.FIXED if second.correct else CaseChange.NEWLY_WRONG if first.correct else CaseChange.STILL_WRONG
        yield ComparedCase(change, first, second)
