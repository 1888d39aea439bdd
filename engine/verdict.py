"""The verdict: what the frozen cases say about tuning, with the interval around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case import Target, Task
from tuneproof.engine.scoring.predictions import Prediction, Scores
from tuneproof.engine.scoring.statistics import (
    PairedCounts,
    mcnemar_exact,
    mcnemar_mid_p,
    minimum_detectable_effect,
    newcombe_paired,
)


class Answer(StrEnum):
    """What the evidence supports."""

    TUNE = "tune"
    DO_NOT_TUNE = "do not tune"
    INCONCLUSIVE = "inconclusive"


class Difference(BaseModel):
    """Tuned minus best untuned, over the same cases: Newcombe's paired interval, McNemar's mid-p, and the exact p beside it."""

    model_config = ConfigDict(extra="forbid")

    estimate: float
    low: float
    high: float
    p_value: float
    p_value_exact: float
    only_tuned_right: int
    only_untuned_right: int


class Verdict(BaseModel):
    """The answer and the sentence that carries it; `missing` names what was not measured.

    `lightest_arm` is the first arm that meets the target, untuned before tuned, and none where no arm that was measured does.
    """

    model_config = ConfigDict(extra="forbid")

    answer: Answer
    reason: str
    best_untuned_arm: str | None
    meets_target: bool | None
    difference: Difference | None
    minimum_detectable_effect: float | None
    missing: list[str]
    lightest_arm: str | None = None


@dataclass(frozen=True)
class ScoredArm:
    """An arm with its scores and its predictions."""

    scores: Scores
    predictions: Sequence[Prediction]

    @property
    def name(self) -> str:
        """The name of the arm."""
        return self.scores.arm


def best_of(arms: Sequence[ScoredArm]) -> ScoredArm | None:
    """The arm with the most correct cases; of equals the first, which is the lightest."""
    return max(arms, key=lambda a: a.scores.correct.rate, default=None)


def value_of(scores: Scores, task: Task, target: Target) -> float:
    """What the target's metric came to on the frozen cases."""
    return scores.metrics[target.metric or task.measured_by]


def meets(scores: Scores, task: Task, target: Target | None) -> bool:
    """Whether the arm with these scores reaches the target, as measured."""
    return target is not None and value_of(scores, task, target) >= target.at_least


def decide(
    untuned: Sequence[ScoredArm],
    tuned: ScoredArm | None,
    task: Task | None,
    target: Target | None,
    missing: list[str],
    also_tuned: Sequence[ScoredArm] = (),
) -> Verdict:
    """The verdict of the contract: an untuned arm that meets the target ends it; else the paired difference decides.

    The arms come lightest first. The further tuned ones decide nothing, and may be the lightest that meets the target.
    """
    best = best_of(untuned)
    if best is None or task is None:
        return Verdict(
            answer=Answer.INCONCLUSIVE,
            reason=f"Nothing has been measured yet; missing: {', '.join(missing)}.",
            best_untuned_arm=None,
            meets_target=None,
            difference=None,
            minimum_detectable_effect=None,
            missing=missing,
        )
    difference = _difference(tuned, best) if tuned else None
    met = next((arm for arm in untuned if meets(arm.scores, task, target)), None)
    if met is not None and target is not None:
        answer, reason = Answer.DO_NOT_TUNE, _met(met, task, target)
    elif difference is None or tuned is None:
        answer, reason = Answer.INCONCLUSIVE, f"{_rate(best)}; missing: {', '.join(missing)}."
    else:
        answer, reason = _compared(difference, tuned, best)
    shown = tuned or met or best
    meets_target = None if target is None else meets(shown.scores, task, target)
    if tuned and target and met is None:
        reason += f" It {'meets' if meets_target else 'does not meet'} the target: {_against_target(tuned, task, target)}."
    everything = [*untuned, *([tuned] if tuned else []), *also_tuned]
    lightest = next((arm for arm in everything if meets(arm.scores, task, target)), None)
    if lightest is not None and lightest in also_tuned and target is not None:
        reason += f" {lightest.name} meets it: {_against_target(lightest, task, target)}."
    return Verdict(
        answer=answer,
        reason=reason,
        best_untuned_arm=best.name,
        meets_target=meets_target,
        difference=difference,
        minimum_detectable_effect=round(minimum_detectable_effect(best.scores.n), 6),
        missing=missing,
        lightest_arm=lightest.name if lightest else None,
    )


def _difference(tuned: ScoredArm, untuned: ScoredArm) -> Difference:
    right = {p.id: p.correct for p in untuned.predictions}
    counts = PairedCounts.of([p.correct for p in tuned.predictions], [right[p.id] for p in tuned.predictions])
    interval = newcombe_paired(counts)
    return Difference(
        estimate=round(interval.estimate, 6),
        low=round(interval.low, 6),
        high=round(interval.high, 6),
        p_value=float(f"{mcnemar_mid_p(counts):.6g}"),
        p_value_exact=float(f"{mcnemar_exact(counts):.6g}"),
        only_tuned_right=counts.only_first,
        only_untuned_right=counts.only_second,
    )


def _compared(difference: Difference, tuned: ScoredArm, best: ScoredArm) -> tuple[Answer, str]:
    told = f"{_rate(tuned)}, {_rate(best, article=True)}: {points(difference)}, {p_value(difference.p_value)}."
    if difference.high < 0:
        return Answer.DO_NOT_TUNE, f"{told} Tuning made it worse."
    if difference.low <= 0:
        can_show = round(100 * minimum_detectable_effect(best.scores.n))
        return Answer.INCONCLUSIVE, f"{told} {best.scores.n} cases can show a difference of about {can_show} points."
    return Answer.TUNE, told


def _met(arm: ScoredArm, task: Task, target: Target) -> str:
    return f"{arm.name} already meets the target without any training: {_against_target(arm, task, target)}."


def _against_target(arm: ScoredArm, task: Task, target: Target) -> str:
    metric = target.metric or task.measured_by
    return f"{metric} {value_of(arm.scores, task, target):.3f}, asked for {target.at_least:g}"


def _rate(arm: ScoredArm, *, article: bool = False) -> str:
    right = sum(p.correct for p in arm.predictions)
    who = f"the best untuned arm ({arm.name})" if article else f"{arm.name} answers"
    return f"{who} {right}" if article else f"{who} {right} of {arm.scores.n} frozen cases"


def points(difference: Difference) -> str:
    """A difference of rates in points, with its interval."""
    estimate, low, high = (100 * v for v in (difference.estimate, difference.low, difference.high))
    return f"{estimate:+.0f} points [{low:+.0f}, {high:+.0f}]"


def p_value(p: float) -> str:
    """A p-value as people write it."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"
