"""Whether a model in another form gives the answers that were measured: the rule for merged models and for exports."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.verdict_schema import PairedDifference

LEAST_EQUAL = 0.98
"""The share of the answers that must be the same text. Equal answers have equal scores, so at most 2 of 100 cases can change sides."""

MOST_LOSS = 0.01
"""How much lower the score may be on the same cases; 0.01 is one point."""

RULE = f"at least {LEAST_EQUAL:.0%} of the answers are the same text, and the score is at most {100 * MOST_LOSS:.0f} point lower"
"""What it means that answers agree."""


@dataclass(frozen=True)
class Agreement:
    """The answers of one model beside those of another to the same prompts."""

    equal: int
    """Cases to which both give the same text."""
    cases: int
    difference: PairedDifference
    """The first model minus the second, in the metric that decides."""

    @property
    def changed(self) -> int:
        """Cases to which the two give different texts."""
        return self.cases - self.equal

    @property
    def holds(self) -> bool:
        """Whether the answers agree, by `RULE`."""
        return self.equal >= LEAST_EQUAL * self.cases and not self.difference.estimate < -MOST_LOSS


def agreement(measure: Measure, served: ScoredArm, measured: ScoredArm) -> Agreement:
    """Compares a model in the form in which it is served with the one that was measured."""
    before = {prediction.id: prediction.output for prediction in measured.predictions}
    equal = sum(before[prediction.id] == prediction.output for prediction in served.predictions)
    return Agreement(equal, len(served.predictions), measure.difference(served, measured))
