"""The rule of the verdict: what measured arms support, as numbers and enums; `verdict` puts it into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from tuneproof.engine.scoring.lower_bound import lower_bound
from tuneproof.engine.scoring.metric_sums import MetricSums
from tuneproof.engine.scoring.paired_scores import PairedScores, difference_from_best, judged_pairs
from tuneproof.engine.scoring.statistics import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuneproof.engine.scoring.metric_sums import Floats, Ints

MOST_MISSING = 0.1
"""An arm that left a larger share of the cases unanswered is reported, and neither ranks nor is compared."""

SIGNIFICANT = 0.05
"""Two-sided p-value below which a difference counts as shown, beside its interval."""


class VerdictAnswer(StrEnum):
    """What the evidence supports; the last two answer whether a tuned model may replace the incumbent."""

    TUNE = "tune"
    DO_NOT_TUNE = "do not tune"
    INCONCLUSIVE = "inconclusive"
    REPLACE = "replace"
    DO_NOT_REPLACE = "do not replace"


class TargetStatus(StrEnum):
    """Whether a target is met beyond luck, only as measured, not, or was never set."""

    SHOWN = "shown"
    MEASURED = "measured"
    NOT_MET = "not met"
    NONE = "none"


@dataclass(frozen=True)
class MeasuredArm:
    """An arm in the metric that decides: one entry of `sums` a training seed, over all frozen cases in the same order.

    A case without an answer scores 0 in `sums`; `answered` has which cases have one.
    """

    name: str
    sums: tuple[MetricSums, ...]
    answered: NDArray[np.bool_]
    clusters: Ints | None = None
    outcomes: Mapping[str, tuple[Floats, ...]] = field(default_factory=dict)
    """Where a judge compared the answers of this arm with those of another, by its name: 1, 0 or -1 a case, one entry a seed; NaN for a
    case that one of them did not answer."""

    @property
    def ranks(self) -> bool:
        """Whether enough cases were answered to compare the arm with others."""
        return float(self.answered.mean()) >= 1 - MOST_MISSING

    @property
    def value(self) -> float:
        """The metric over all cases, the mean over the seeds; a case without an answer counts as wrong."""
        import numpy as np

        return float(np.mean([each.value(each.sums.sum(0)) for each in self.sums]))

    def against(self, other: MeasuredArm) -> PairedScores:
        """This arm minus another, on the cases that both answered; as a judge saw them side by side, where it did."""
        import numpy as np

        outcomes = self.outcomes.get(other.name)
        together = self.answered & other.answered
        if outcomes is not None:
            together = together & ~np.isnan(outcomes).any(0)
        both = np.flatnonzero(together)
        clusters = None if self.clusters is None else np.unique(self.clusters[both], return_inverse=True)[1]
        if outcomes is not None:
            return judged_pairs([each[both] for each in outcomes], clusters)
        return PairedScores(tuple(each.only(both) for each in self.sums), other.sums[0].only(both), clusters)

    def status(self, target: float | None, arms: int = 1) -> TargetStatus:
        """Whether the arm meets the target; the limit pays for as many arms as are held against it at once (Bonferroni)."""
        if target is None:
            return TargetStatus.NONE
        if self.value < target:
            return TargetStatus.NOT_MET
        bounds = [lower_bound(each, self.clusters, 0.025 / arms) for each in self.sums]
        return TargetStatus.SHOWN if min(bounds) >= target else TargetStatus.MEASURED


@dataclass(frozen=True)
class Finding:
    """What the rule reads off the tuned arm and the untuned ones that rank."""

    differences: dict[str, PairedScores]
    min_gain: float

    @property
    def best(self) -> str:
        """The untuned arm that the tuned one is least ahead of; of equals the first, which is the lightest."""
        return min(self.differences, key=lambda name: self.differences[name].estimate)

    @cached_property
    def difference(self) -> Interval:
        """The tuned arm minus the best untuned one."""
        return difference_from_best(list(self.differences.values()))

    @cached_property
    def p_value(self) -> float:
        """The largest p-value of the tuned arm against an untuned one: it has to beat each (Berger 1982)."""
        return max(each.p_value for each in self.differences.values())

    @cached_property
    def answer(self) -> VerdictAnswer:
        """`tune` for a gain that is shown and may be worth having, `do not tune` where it is shown not to be worth having."""
        if self.difference.high < self.min_gain:
            return VerdictAnswer.DO_NOT_TUNE
        if self.difference.low > 0 and self.p_value < SIGNIFICANT:
            return VerdictAnswer.TUNE
        return VerdictAnswer.INCONCLUSIVE


def compare(tuned: MeasuredArm, untuned: Sequence[MeasuredArm], min_gain: float) -> Finding | None:
    """The tuned arm against each untuned one that ranks; None where none does."""
    differences = {arm.name: tuned.against(arm) for arm in untuned if arm.ranks}
    return Finding(differences, min_gain) if differences and tuned.ranks else None


def best_untuned(arms: Sequence[MeasuredArm]) -> MeasuredArm | None:
    """The arm with the highest metric among those that rank, on the cases that all of these answered; of equals the first."""
    import numpy as np

    ranking = [arm for arm in arms if arm.ranks]
    if not ranking:
        return None
    shared = np.flatnonzero(np.logical_and.reduce([arm.answered for arm in ranking]))
    if len(shared) == 0:
        return None
    return max(ranking, key=lambda arm: replace(arm, sums=tuple(each.only(shared) for each in arm.sums)).value)


def may_replace(tuned: MeasuredArm, incumbent: MeasuredArm, margin: float) -> tuple[VerdictAnswer, PairedScores]:
    """Whether the tuned arm is worse than the incumbent by less than the margin: a non-inferiority test by its interval.

    As in the ICH E9 guideline (1998, section 3.3.2) with a two-sided 95 % interval.
    """
    difference = tuned.against(incumbent)
    interval = difference.interval()
    if interval.low > -margin:
        return VerdictAnswer.REPLACE, difference
    answer = VerdictAnswer.DO_NOT_REPLACE if interval.high < -margin else VerdictAnswer.INCONCLUSIVE
    return answer, difference
