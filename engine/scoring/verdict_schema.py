"""The verdict as it is stored in `card.json`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.case.task import Metric
from tuneproof.engine.core.sentence import Sentence, Sentences
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer

RULES = 2
"""The version of the rules; a card that was written under other rules is shown, and not computed again."""


class IntervalMethod(StrEnum):
    """How an interval was computed; `engine/scoring/paired_scores.py` has the sources."""

    SCORE = "Tango score interval"
    JACKKNIFE = "delete-one jackknife, Student's t"
    CLUSTER_JACKKNIFE = "delete-one-cluster jackknife, Student's t"
    NEWCOMBE = "Newcombe method 10"


class TestMethod(StrEnum):
    """How a p-value was computed."""

    __test__ = False  # the name is not that of a pytest class

    MCNEMAR_EXACT = "McNemar exact"
    PERMUTATION = "permutation of cases"
    CLUSTER_PERMUTATION = "permutation of clusters"
    MCNEMAR_MID_P = "McNemar mid-p"


class PairedDifference(BaseModel):
    """One arm minus another on the cases that both answered, in one metric, with a 95 % interval and a two-sided p-value."""

    model_config = ConfigDict(extra="forbid")

    estimate: float
    low: float
    high: float
    p_value: float
    p_value_exact: float | None = None
    """McNemar's exact p beside the mid-p of `p_value`, in cards of the first rules."""
    only_tuned_right: int
    """Cases that only the first arm gets right, or on which a judge prefers it."""
    only_untuned_right: int
    metric: Metric = Metric.EXACT_MATCH
    interval: IntervalMethod = IntervalMethod.NEWCOMBE
    test: TestMethod = TestMethod.MCNEMAR_MID_P
    cases: int = 0
    clusters: int | None = None
    """How many clusters the cases come in; None where each stands alone."""
    arms: int = 1
    """The upper limit holds for the best of so many arms, chosen on the same cases."""
    seeds: int = 1
    """Trainings of the first arm."""
    judged: bool = Field(default=False, exclude_if=lambda judged: not judged)
    """Whether a judge compared the answers side by side: the estimate is then the rate of wins minus that of losses."""

    @property
    def ties(self) -> int:
        """Cases on which the arms do not differ."""
        return self.cases - self.only_tuned_right - self.only_untuned_right

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies wholly on one side of zero."""
        return self.low > 0 or self.high < 0


class PartialCreditDifference(BaseModel):
    """Of the first rules: tuned minus best untuned in a metric with partial credit, with a bootstrap interval."""

    model_config = ConfigDict(extra="forbid")

    metric: Metric
    estimate: float
    low: float
    high: float


class ArmComparison(BaseModel):
    """Tuned minus one untuned arm; `p_holm` is the p-value adjusted for as many tests as there are untuned arms (Holm 1979)."""

    model_config = ConfigDict(extra="forbid")

    arm: str
    estimate: float
    low: float
    high: float
    p_value: float
    p_holm: float


class Verdict(BaseModel):
    """The answer and the sentence that carries it."""

    model_config = ConfigDict(extra="forbid")

    answer: VerdictAnswer
    headline: Sentence = ""
    """The answer in a few words, such as "better than prompting, and good enough"."""
    reason: Sentence
    good_enough: Sentence = ""
    """Whether the arm that would be used meets the target, and how sure that is; empty in cards of earlier versions."""
    best_untuned_arm: str | None
    meets_target: bool | None
    """Whether the arm that would be used meets the target as measured."""
    target: TargetStatus = TargetStatus.NONE
    """Whether the arm that would be used meets the target beyond luck."""
    min_gain: float | None = None
    """The gain over the best untuned arm that the case calls worth having."""
    difference: PairedDifference | None
    graded: PartialCreditDifference | None
    """Of the first rules, where the difference was always one of right cases."""
    comparisons: list[ArmComparison]
    not_ranked: list[str] = []
    """Untuned arms that left too many cases unanswered to be compared."""
    minimum_detectable_effect: float | None
    cases_to_tell: int | None
    """How many cases it would take to show a difference as large as the measured one, where these cannot."""
    cost: Sentence | None
    missing: list[str]
    """What was not measured."""
    lightest_arm: str | None = None
    """The first arm that meets the target as measured, untuned before tuned."""
    next_steps: Sentences = Field(default=[])
    """What to try next."""
    rules: int = 1
