"""An untuned arm that meets the target as measured: not shown, so whether to train is for a person to say."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.case.training import MethodChoice
from tuneproof.engine.scoring.lower_bound import cases_to_show_target
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.metric_sums import PROPORTIONS
from tuneproof.engine.scoring.verdict_text import measured_value


@dataclass(frozen=True)
class MetAsMeasured:
    """The arm, its value and the target in the metric that decides, and how many more cases would settle it."""

    arm: str
    value: float
    at_least: float
    cases: int
    more: int | None
    """Cases besides those measured that would show the target at this rate; None where the rate is too near to it, or is no proportion."""

    def describe(self) -> str:
        """What is measured, what is not shown, and what would settle it."""
        told = (
            f"{self.arm} meets the target as measured ({self.value:.3f}, asked for {self.at_least:g}), which {self.cases} cases do not show"
        )
        return f"{told}: about {self.more:,} more at this rate would" if self.more else f"{told}: it may be luck"


def met_as_measured(measure: Measure, arm: ScoredArm) -> MetAsMeasured | None:
    """The facts about an arm that meets the target as measured; None where no score is asked for."""
    if measure.at_least is None:
        return None
    value, cases = measured_value(measure, arm), len(arm.predictions)
    needed = cases_to_show_target(value, measure.at_least) if measure.metric in PROPORTIONS else None
    more = needed - cases if needed is not None and needed > cases else None
    return MetAsMeasured(arm.name, value, measure.at_least, cases, more)


def with_measured_taken_as_enough(method: MethodChoice, *, is_enough: bool) -> MethodChoice:
    """The method with the answer of a person: whether a target that is met as measured ends the run without training."""
    return method.model_copy(update={"enough_as_measured": is_enough})
