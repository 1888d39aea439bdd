"""The rates of base and tuned model on the same prompts, with their difference, and what it shows against the margin."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.statistics import minimum_detectable_effect, wilson


class RiskOutcome(StrEnum):
    """What base and tuned model show about one measure."""

    NO_WORSE = "no worse"
    """The interval of the loss lies below the margin."""
    WORSE = "worse"
    """A loss is shown, and it is not shown to be within the margin."""
    NOT_SHOWN = "not shown"
    """Neither."""
    NO_SIGNAL = "no signal"
    """The base is at its floor: a loss of the margin could not be seen."""
    NOT_MEASURED = "not measured"


class RateDifference(BaseModel):
    """Tuned minus base, in the rate itself, with its 95 % interval (Tango's score interval)."""

    model_config = ConfigDict(extra="forbid")

    estimate: float
    low: float
    high: float


class PairedRates(BaseModel):
    """How often base and tuned model have a property, on the prompts that both answered."""

    model_config = ConfigDict(extra="forbid")

    n: int
    base: Rate
    tuned: Rate | None = None
    """None if the tuned model was not asked."""
    difference: RateDifference | None = None
    only_base: int = 0
    """Prompts whose answer has the property of the base alone."""
    only_tuned: int = 0
    outcome: RiskOutcome
    floor: float
    """The rate that needs no ability, from which the base has to differ by more than the margin."""
    detectable: float = Field(ge=0, le=1)
    """The smallest true loss that so many prompts show four times in five."""


def rate_of(count: int, n: int) -> Rate:
    """A rate with its interval, rounded as on the card."""
    interval = wilson(count, n)
    return Rate(rate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6))


def has_signal(base: Sequence[bool], floor: float, margin: float, *, lower_is_better: bool) -> bool:
    """Whether the base is so far from the floor that a loss of the margin could be seen: the whole interval of its rate has to be."""
    if not base:
        return False
    interval = wilson(sum(base), len(base))
    return interval.high < floor - margin if lower_is_better else interval.low > floor + margin


def paired_rates(
    base: Sequence[bool], tuned: Sequence[bool] | None, *, margin: float, floor: float, lower_is_better: bool = False
) -> PairedRates:
    """The rates of a property of the same prompts in the same order. Raises ValueError for no prompts, and for unequal numbers."""
    n, signal = len(base), has_signal(base, floor, margin, lower_is_better=lower_is_better)
    first = rate_of(sum(base), n)
    if tuned is None:
        outcome = RiskOutcome.NOT_MEASURED if signal else RiskOutcome.NO_SIGNAL
        return PairedRates(n=n, base=first, outcome=outcome, floor=floor, detectable=_detectable(n))
    only_base = sum(one and not other for one, other in zip(base, tuned, strict=True))
    only_tuned = sum(other and not one for one, other in zip(base, tuned, strict=True))
    difference = _difference(base, tuned)
    outcome = outcome_of(difference, margin, lower_is_better=lower_is_better) if signal else RiskOutcome.NO_SIGNAL
    return PairedRates(
        n=n,
        base=first,
        tuned=rate_of(sum(tuned), n),
        difference=difference,
        only_base=only_base,
        only_tuned=only_tuned,
        outcome=outcome,
        floor=floor,
        detectable=_detectable(n, (only_base + only_tuned) / n),
    )


def outcome_of(difference: RateDifference, margin: float, *, lower_is_better: bool = False) -> RiskOutcome:
    """Whether the tuned model is no worse than the margin allows, or worse; a loss that is shown and within the margin is no worse."""
    low, high = (-difference.high, -difference.low) if lower_is_better else (difference.low, difference.high)
    if low > -margin:
        return RiskOutcome.NO_WORSE
    return RiskOutcome.WORSE if high < 0 else RiskOutcome.NOT_SHOWN


def _difference(base: Sequence[bool], tuned: Sequence[bool]) -> RateDifference:
    # A light command reads a card without a measurement, and does not wait for NumPy.
    import numpy as np

    from tuneproof.engine.scoring.metric_sums import sums_of_scores
    from tuneproof.engine.scoring.paired_scores import PairedScores

    sums = [sums_of_scores(np.array(values, float)) for values in (tuned, base)]
    interval = PairedScores((sums[0],), sums[1]).interval()
    return RateDifference(estimate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6))


def _detectable(n: int, discordance: float | None = None) -> float:
    """With how often the two models differ here; before both were asked, with how often they are assumed to."""
    found = minimum_detectable_effect(n) if discordance is None else minimum_detectable_effect(n, max(discordance, 1 / n))
    return round(found, 6)
