"""The verdict: what the frozen cases say about tuning, with the interval around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.partial_credit import PartialCreditDifference
from tuneproof.engine.scoring.predictions import Prediction, Scores
from tuneproof.engine.scoring.statistics import (
    PairedCounts,
    cases_to_detect,
    holm,
    mcnemar_exact,
    mcnemar_mid_p,
    minimum_detectable_effect,
    newcombe_paired,
)

CHEAPER_TOKEN_SHARE = 0.8
"""From this share of the other arm's tokens on, an arm is called cheaper."""


class VerdictAnswer(StrEnum):
    """What the evidence supports."""

    TUNE = "tune"
    DO_NOT_TUNE = "do not tune"
    INCONCLUSIVE = "inconclusive"


class PairedDifference(BaseModel):
    """Tuned minus best untuned, over the same cases: Newcombe's paired interval, McNemar's mid-p, and the exact p beside it."""

    model_config = ConfigDict(extra="forbid")

    estimate: float
    low: float
    high: float
    p_value: float
    p_value_exact: float
    only_tuned_right: int
    only_untuned_right: int


class ArmComparison(BaseModel):
    """Tuned minus one untuned arm; `p_holm` is McNemar's mid-p adjusted for as many tests as there are untuned arms."""

    model_config = ConfigDict(extra="forbid")

    arm: str
    estimate: float
    low: float
    high: float
    p_value: float
    p_holm: float


class Verdict(BaseModel):
    """The answer and the sentence that carries it; `missing` names what was not measured.

    `lightest_arm` is the first arm that meets the target, untuned before tuned, and none where no arm that was measured does.
    `cases_to_tell` is how many cases it would take to find a difference as large as the one that was seen, where these cannot tell.
    """

    model_config = ConfigDict(extra="forbid")

    answer: VerdictAnswer
    reason: str
    best_untuned_arm: str | None
    meets_target: bool | None
    difference: PairedDifference | None
    graded: PartialCreditDifference | None
    comparisons: list[ArmComparison]
    minimum_detectable_effect: float | None
    cases_to_tell: int | None
    cost: str | None
    missing: list[str]
    lightest_arm: str | None = None


@dataclass(frozen=True)
class ScoredArm:
    """An arm with its scores and its predictions."""

    scores: Scores
    predictions: Sequence[Prediction]
    is_external: bool = False
    """Whether another model than the base answered, whose tokens are its own."""

    @property
    def name(self) -> str:
        """The name of the arm."""
        return self.scores.arm


def best_arm(arms: Sequence[ScoredArm]) -> ScoredArm | None:
    """The arm with the most correct cases; of equals the first, which is the lightest."""
    return max(arms, key=lambda a: a.scores.correct.rate, default=None)


def metric_of(task: Task, target: Target | None) -> Metric:
    """The metric that counts: the target's, or the task's where there is no target or it names none."""
    return (target and target.metric) or task.primary_metric


def metric_value(scores: Scores, task: Task, target: Target) -> float:
    """What the target's metric came to on the frozen cases."""
    return scores.metrics[metric_of(task, target)]


def meets_target(scores: Scores, task: Task, target: Target | None) -> bool:
    """Whether the arm with these scores reaches the target, as measured, and with the cases that have no answer counted as wrong."""
    if target is None:
        return False
    value = scores.metrics_at_worst[metric_of(task, target)] if scores.unanswered else metric_value(scores, task, target)
    return value >= target.at_least


def decide_verdict(
    untuned: Sequence[ScoredArm],
    tuned: ScoredArm | None,
    task: Task | None,
    target: Target | None,
    missing: list[str],
    also_tuned: Sequence[ScoredArm] = (),
    graded: PartialCreditDifference | None = None,
) -> Verdict:
    """The verdict of the contract: an untuned arm that meets the target ends it; else the paired difference decides.

    The arms come lightest first. The further tuned ones decide nothing, and may be the lightest that meets the target.
    `graded` is the difference in a metric that gives part of the credit, which is told beside it.
    """
    best = best_arm(untuned)
    if best is None or task is None:
        return Verdict(
            answer=VerdictAnswer.INCONCLUSIVE,
            reason=f"Nothing has been measured yet; missing: {', '.join(missing)}.",
            best_untuned_arm=None,
            meets_target=None,
            difference=None,
            graded=None,
            comparisons=[],
            minimum_detectable_effect=None,
            cases_to_tell=None,
            cost=None,
            missing=missing,
        )
    difference = paired_difference(tuned, best) if tuned else None
    met = next((arm for arm in untuned if meets_target(arm.scores, task, target)), None)
    if met is not None and target is not None:
        answer, reason = VerdictAnswer.DO_NOT_TUNE, _met(met, task, target)
        if difference is not None and tuned is not None:
            reason += f" {_rate(tuned)}, {_rate(best, article=True)}: {format_points(difference)}, {format_p_value(difference.p_value)}."
    elif difference is None or tuned is None:
        answer, reason = VerdictAnswer.INCONCLUSIVE, f"{_rate(best)}; missing: {', '.join(missing)}."
    else:
        answer, reason = _compared(difference, tuned, best)
    shown = tuned or met or best
    reached = None if target is None else meets_target(shown.scores, task, target)
    if tuned and target and met is None:
        reason += f" It {'meets' if reached else 'does not meet'} the target: {_against_target(tuned, task, target)}."
    everything = [*untuned, *([tuned] if tuned else []), *also_tuned]
    lightest = next((arm for arm in everything if meets_target(arm.scores, task, target)), None)
    if lightest is not None and lightest in also_tuned and target is not None:
        reason += f" {lightest.name} meets it: {_against_target(lightest, task, target)}."
    return Verdict(
        answer=answer,
        reason=reason,
        best_untuned_arm=best.name,
        meets_target=reached,
        difference=difference,
        graded=graded,
        comparisons=_comparisons(tuned, untuned) if tuned else [],
        minimum_detectable_effect=round(minimum_detectable_effect(best.scores.n), 6),
        cases_to_tell=_cases_to_tell(difference, best.scores.n) if difference and difference.low <= 0 <= difference.high else None,
        cost=_cost(tuned, met or best) if tuned else None,
        missing=missing,
        lightest_arm=lightest.name if lightest else None,
    )


def _comparisons(tuned: ScoredArm, untuned: Sequence[ScoredArm]) -> list[ArmComparison]:
    found = [paired_difference(tuned, arm) for arm in untuned]
    adjusted = holm([difference.p_value for difference in found])
    return [
        ArmComparison(arm=arm.name, estimate=each.estimate, low=each.low, high=each.high, p_value=each.p_value, p_holm=float(f"{p:.6g}"))
        for arm, each, p in zip(untuned, found, adjusted, strict=True)
    ]


def _cases_to_tell(difference: PairedDifference, n: int) -> int | None:
    disagree = (difference.only_tuned_right + difference.only_untuned_right) / n
    return cases_to_detect((difference.only_tuned_right - difference.only_untuned_right) / n, disagree)


def _cost(tuned: ScoredArm, other: ScoredArm) -> str:
    """What a request costs with either arm, and which is cheaper where they are equally good.

    In tokens alone, which the case decides; seconds differ from run to run, and tokens of another model are not these.
    """
    if other.is_external:
        told = f"; what {other.name} costs is another model's, and its tokens do not compare"
        return f"Cost: {tuned.name} reads and writes {tuned.scores.tokens_per_case:.0f} tokens a case{told}."
    mine, others = tuned.scores.tokens_per_case, other.scores.tokens_per_case
    difference = paired_difference(tuned, other)
    cheaper = mine <= CHEAPER_TOKEN_SHARE * others
    equal = difference.low <= 0 <= difference.high
    wins = " They cannot be told apart in accuracy, so on cost the tuned model wins." if cheaper and equal else ""
    return f"Cost: {tuned.name} reads and writes {mine:.0f} tokens a case, {other.name} {others:.0f}.{wins}"


def paired_difference(first: ScoredArm, second: ScoredArm) -> PairedDifference:
    """The first arm minus the second, on the cases that both answered. Raises KeyError where the second was not asked them."""
    other = {p.id: p for p in second.predictions}
    both = [(p.correct, other[p.id].correct) for p in first.predictions if not p.unanswered and not other[p.id].unanswered]
    counts = PairedCounts.of([mine for mine, _ in both], [others for _, others in both])
    interval = newcombe_paired(counts)
    return PairedDifference(
        estimate=round(interval.estimate, 6),
        low=round(interval.low, 6),
        high=round(interval.high, 6),
        p_value=float(f"{mcnemar_mid_p(counts):.6g}"),
        p_value_exact=float(f"{mcnemar_exact(counts):.6g}"),
        only_tuned_right=counts.only_first,
        only_untuned_right=counts.only_second,
    )


def _compared(difference: PairedDifference, tuned: ScoredArm, best: ScoredArm) -> tuple[VerdictAnswer, str]:
    told = f"{_rate(tuned)}, {_rate(best, article=True)}: {format_points(difference)}, {format_p_value(difference.p_value)}."
    if difference.high < 0:
        return VerdictAnswer.DO_NOT_TUNE, f"{told} Tuning made it worse."
    if difference.low <= 0:
        can_show = round(100 * minimum_detectable_effect(best.scores.n))
        needed = _cases_to_tell(difference, best.scores.n)
        more = max(0, needed - best.scores.n) if needed else 0
        told += f" {best.scores.n} cases can show a difference of about {can_show} points"
        return VerdictAnswer.INCONCLUSIVE, f"{told}; to tell one like this takes about {more:,} more." if more else f"{told}."
    return VerdictAnswer.TUNE, told


def _met(arm: ScoredArm, task: Task, target: Target) -> str:
    return f"{arm.name} already meets the target without any training: {_against_target(arm, task, target)}."


def _against_target(arm: ScoredArm, task: Task, target: Target) -> str:
    metric = metric_of(task, target)
    worst = f" ({arm.scores.metrics_at_worst[metric]:.3f} if what has no answer is wrong)" if arm.scores.unanswered else ""
    return f"{metric} {metric_value(arm.scores, task, target):.3f}{worst}, asked for {target.at_least:g}"


def _rate(arm: ScoredArm, *, article: bool = False) -> str:
    right = sum(p.correct for p in arm.predictions)
    who = f"the best untuned arm ({arm.name})" if article else f"{arm.name} answers"
    if arm.scores.unanswered:
        return f"{who} {right} of the {arm.scores.n} frozen cases that have an answer"
    return f"{who} {right}" if article else f"{who} {right} of {arm.scores.n} frozen cases"


def format_points(difference: PairedDifference) -> str:
    """A difference of rates in points, with its interval."""
    estimate, low, high = (100 * v for v in (difference.estimate, difference.low, difference.high))
    return f"{estimate:+.0f} points [{low:+.0f}, {high:+.0f}]"


def format_p_value(p: float) -> str:
    """A p-value as people write it."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"
