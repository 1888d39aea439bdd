"""The difference of two arms in a metric that gives part of the credit, with the interval that drawing the cases again gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.bootstrap import paired_bootstrap
from tuneproof.engine.scoring.judges import Judge
from tuneproof.engine.scoring.predictions import Prediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTIAL_CREDIT_METRICS = (Metric.FIELD_ACCURACY, Metric.MACRO_F1)
"""Metrics that are not the share of cases that are right, so that an interval for a proportion says nothing about them."""


class PartialCreditDifference(BaseModel):
    """Tuned minus best untuned in a graded metric, over the same cases, with its bootstrap interval."""

    model_config = ConfigDict(extra="forbid")

    metric: Metric
    estimate: float
    low: float
    high: float


def partial_credit_difference(
    metric: Metric, tuned: Sequence[Prediction], untuned: Sequence[Prediction], judge: Judge, groups: Sequence[str] | None
) -> PartialCreditDifference | None:
    """The difference in a metric of `PARTIAL_CREDIT_METRICS`; none for other metrics, and where there are fewer than two cases or groups.

    `groups` has the group of each case of `tuned`, where the split kept groups together. Both arms must have been asked the same cases;
    those that both answered count.
    """
    other = {p.id: p for p in untuned}
    both = [not p.unanswered and not other[p.id].unanswered for p in tuned]
    tuned, groups = list(compress(tuned, both)), list(compress(groups, both)) if groups else None
    if metric not in PARTIAL_CREDIT_METRICS or len(set(groups) if groups else tuned) < 2:
        return None
    make = _mean_field_score if metric is Metric.FIELD_ACCURACY else _macro_f1
    first, second = make(tuned, judge), make([other[p.id] for p in tuned], judge)
    interval = paired_bootstrap(lambda cases: first(cases) - second(cases), len(tuned), groups)
    return PartialCreditDifference(
        metric=metric, estimate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6)
    )


Score = Callable[["NDArray[np.intp]"], float]


def _mean_field_score(predictions: Sequence[Prediction], judge: Judge) -> Score:
    import numpy as np

    scores = np.array([judge.judge(p.output, p.expected, truncated=p.truncated).field_score for p in predictions])
    return lambda cases: float(scores[cases].mean())


def _macro_f1(predictions: Sequence[Prediction], judge: Judge) -> Score:
    """`predictions.macro_f1` of the cases drawn; an unreadable answer is no label."""
    import numpy as np

    wanted = [p.expected.strip() for p in predictions]
    got = [judge.judge(p.output, p.expected, truncated=p.truncated).answer for p in predictions]
    number = {label: at for at, label in enumerate(dict.fromkeys([*wanted, *filter(None, got)]))}
    expected = np.array([number[label] for label in wanted])
    # Unreadable answers are counted under a number of their own, which is cut off.
    answered = np.array([number.get(label, len(number)) for label in got])

    def score(cases: NDArray[np.intp]) -> float:
        asked, said = expected[cases], answered[cases]
        count = np.bincount(asked, minlength=len(number)) + np.bincount(said, minlength=len(number) + 1)[: len(number)]
        right = np.bincount(asked[asked == said], minlength=len(number))
        seen = count > 0
        return float((2 * right[seen] / count[seen]).mean())

    return score
