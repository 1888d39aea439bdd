"""The verdict: whether the frozen cases support tuning, with the interval of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.sentence import Sentence
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
"""An arm is called cheaper if it uses at most this share of the other arm's tokens."""


class VerdictAnswer(StrEnum):
    """What the evidence supports."""

    TUNE = "tune"
    DO_NOT_TUNE = "do not tune"
    INCONCLUSIVE = "inconclusive"


class PairedDifference(BaseModel):
    """The difference in the share of correct cases, first arm minus second, on the same cases.

    `low` and `high` are Newcombe's paired 95 % interval, `p_value` is McNemar's mid-p, `p_value_exact` that of the exact test. In the
    verdict the first arm is the tuned one, which the stored names of the last two fields follow.
    """

    model_config = ConfigDict(extra="forbid")

    estimate: float
    low: float
    high: float
    p_value: float
    p_value_exact: float
    only_tuned_right: int
    """Number of cases that only the first arm answers correctly."""
    only_untuned_right: int
    """Number of cases that only the second arm answers correctly."""


class ArmComparison(BaseModel):
    """Tuned minus one untuned arm; `p_holm` is McNemar's mid-p, adjusted by Holm for the number of untuned arms."""

    model_config = ConfigDict(extra="forbid")

    arm: str
    estimate: float
    low: float
    high: float
    p_value: float
    p_holm: float


class Verdict(BaseModel):
    """The answer of a run, with the sentence that explains it and the numbers that it is based on."""

    model_config = ConfigDict(extra="forbid")

    answer: VerdictAnswer
    reason: Sentence
    best_untuned_arm: str | None
    meets_target: bool | None
    difference: PairedDifference | None
    graded: PartialCreditDifference | None
    """The difference in a metric with partial credit, if the case counts one."""
    comparisons: list[ArmComparison]
    minimum_detectable_effect: float | None
    cases_to_tell: int | None
    """The number of cases that would detect a difference of the observed size, if the interval includes 0."""
    cost: Sentence | None
    missing: list[str]
    """What was not measured."""
    lightest_arm: str | None = None
    """The first arm that meets the target, untuned before tuned; None if no measured arm does."""


@dataclass(frozen=True)
class ScoredArm:
    """An arm with its scores and its predictions."""

    scores: Scores
    predictions: Sequence[Prediction]
    is_external: bool = False
    """Whether a server answered with another model than the base, whose tokens are not comparable."""

    @property
    def name(self) -> str:
        """The name of the arm."""
        return self.scores.arm


def best_arm(arms: Sequence[ScoredArm]) -> ScoredArm | None:
    """The arm with the most correct cases; the first, which is the lightest, on a tie. None if there are no arms."""
    return max(arms, key=lambda a: a.scores.correct.rate, default=None)


def metric_of(task: Task, target: Target | None) -> Metric:
    """The metric that the target counts; the task's if there is no target or it names none."""
    return (target and target.metric) or task.primary_metric


def metric_value(scores: Scores, task: Task, target: Target) -> float:
    """The value of the target's metric on the frozen cases."""
    return scores.metrics[metric_of(task, target)]


def meets_target(scores: Scores, task: Task, target: Target | None) -> bool:
    """Whether the scores reach the target with unanswered cases counted as wrong; False without a target."""
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
    """The verdict: do not tune if an untuned arm meets the target, else as the paired difference of tuned and best untuned says.

    The arms are ordered lightest first. `also_tuned` are further tuned arms: they can be the lightest that meets the target but do not
    change the answer. `graded` is stored with the verdict and does not change the answer either. `missing` names what was not measured.
    """
    best = best_arm(untuned)
    if best is None or task is None:
        return _nothing_measured(missing)
    difference = paired_difference(tuned, best) if tuned else None
    met = next((arm for arm in untuned if meets_target(arm.scores, task, target)), None)
    answer, reason = _answer(difference, tuned, best)
    if difference is None or tuned is None:
        reason += f"; missing: {', '.join(missing)}."
    if met is not None and target is not None:
        answer, measured = VerdictAnswer.DO_NOT_TUNE, f" {_measured(difference, tuned, best)}" if difference and tuned else ""
        reason = _target_met(met, task, target) + measured
    reached = None if target is None else meets_target((tuned or met or best).scores, task, target)
    if tuned and target and met is None:
        reason += f" It {'meets' if reached else 'does not meet'} the target: {_against_target(tuned, task, target)}."
    all_arms = [*untuned, *([tuned] if tuned else []), *also_tuned]
    lightest = next((arm for arm in all_arms if meets_target(arm.scores, task, target)), None)
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
        cases_to_tell=_cases_needed(difference, best.scores.n) if difference and difference.low <= 0 <= difference.high else None,
        cost=_cost(tuned, met or best) if tuned else None,
        missing=missing,
        lightest_arm=lightest.name if lightest else None,
    )


def _nothing_measured(missing: list[str]) -> Verdict:
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


def _comparisons(tuned: ScoredArm, untuned: Sequence[ScoredArm]) -> list[ArmComparison]:
    found = [paired_difference(tuned, arm) for arm in untuned]
    adjusted = holm([difference.p_value for difference in found])
    return [
        ArmComparison(arm=arm.name, estimate=each.estimate, low=each.low, high=each.high, p_value=each.p_value, p_holm=float(f"{p:.6g}"))
        for arm, each, p in zip(untuned, found, adjusted, strict=True)
    ]


def _cases_needed(difference: PairedDifference, n: int) -> int | None:
    """The number of cases that would detect the observed difference, from its discordant cases among n."""
    discordance = (difference.only_tuned_right + difference.only_untuned_right) / n
    return cases_to_detect((difference.only_tuned_right - difference.only_untuned_right) / n, discordance)


def _cost(tuned: ScoredArm, other: ScoredArm) -> str:
    """The tokens per case of both arms, and whether the tuned arm is cheaper at equal accuracy.

    Only tokens are compared: seconds vary from run to run, and tokens of another model are not comparable.
    """
    if other.is_external:
        note = f"; {other.name} is another model, so its tokens are not comparable"
        return f"Cost: {tuned.name} reads and writes {tuned.scores.tokens_per_case:.0f} tokens per case{note}."
    mine, others = tuned.scores.tokens_per_case, other.scores.tokens_per_case
    difference = paired_difference(tuned, other)
    cheaper = mine <= CHEAPER_TOKEN_SHARE * others
    equal = difference.low <= 0 <= difference.high
    wins = " The cases show no difference in accuracy, so the tuned model wins on cost." if cheaper and equal else ""
    return f"Cost: {tuned.name} reads and writes {mine:.0f} tokens per case, {other.name} {others:.0f}.{wins}"


def paired_difference(first: ScoredArm, second: ScoredArm) -> PairedDifference:
    """The first arm minus the second, on the cases that both answered. Raises KeyError if the second lacks a case of the first."""
    other = {p.id: p for p in second.predictions}
    pairs = [(p.correct, other[p.id].correct) for p in first.predictions if not p.unanswered and not other[p.id].unanswered]
    counts = PairedCounts.of([mine for mine, _ in pairs], [others for _, others in pairs])
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


def _answer(difference: PairedDifference | None, tuned: ScoredArm | None, best: ScoredArm) -> tuple[VerdictAnswer, str]:
    """The answer and its reason, without regard to a target."""
    if difference is None or tuned is None:
        return VerdictAnswer.INCONCLUSIVE, _rate(best)
    measured = _measured(difference, tuned, best)
    if difference.high < 0:
        return VerdictAnswer.DO_NOT_TUNE, f"{measured} Tuning made it worse."
    if difference.low <= 0:
        return VerdictAnswer.INCONCLUSIVE, f"{measured} {_detectable(difference, best.scores.n)}"
    return VerdictAnswer.TUNE, measured


def _measured(difference: PairedDifference, tuned: ScoredArm, best: ScoredArm) -> str:
    return f"{_rate(tuned)}, {_rate(best, article=True)}: {format_points(difference)}, {format_p_value(difference.p_value)}."


def _detectable(difference: PairedDifference, n: int) -> str:
    """The difference that n cases can detect, and how many more cases would detect the observed one."""
    points = round(100 * minimum_detectable_effect(n))
    more = max(0, (_cases_needed(difference, n) or 0) - n)
    needed = f"; to show the observed one takes about {more:,} more" if more else ""
    return f"{n} cases can show a difference of about {points} points{needed}."


def _target_met(arm: ScoredArm, task: Task, target: Target) -> str:
    return f"{arm.name} already meets the target without any training: {_against_target(arm, task, target)}."


def _against_target(arm: ScoredArm, task: Task, target: Target) -> str:
    metric = metric_of(task, target)
    worst = f" ({arm.scores.metrics_at_worst[metric]:.3f} with unanswered cases counted as wrong)" if arm.scores.unanswered else ""
    return f"{metric} {metric_value(arm.scores, task, target):.3f}{worst}, asked for {target.at_least:g}"


def _rate(arm: ScoredArm, *, article: bool = False) -> str:
    correct = sum(p.correct for p in arm.predictions)
    subject = f"the best untuned arm ({arm.name})" if article else f"{arm.name} answers"
    if arm.scores.unanswered:
        return f"{subject} {correct} of the {arm.scores.n} frozen cases that have an answer"
    return f"{subject} {correct}" if article else f"{subject} {correct} of {arm.scores.n} frozen cases"


def format_points(difference: PairedDifference) -> str:
    """A difference of rates in percentage points, with its interval."""
    estimate, low, high = (100 * v for v in (difference.estimate, difference.low, difference.high))
    return f"{estimate:+.0f} points [{low:+.0f}, {high:+.0f}]"


def format_p_value(p: float) -> str:
    """A p-value in words: `p = 0.0123`, or `p < 0.0001`."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"
