"""The difference of two arms in a metric with partial credit, with its bootstrap interval."""

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
"""Metrics that are not a proportion of correct cases, so that intervals for proportions do not apply."""


class PartialCreditDifference(BaseModel):
    """Tuned minus best untuned in a metric with partial credit, on the same cases, with its bootstrap interval."""

    model_config = ConfigDict(extra="forbid")

    metric: Metric
    estimate: float
    low: float
    high: float


def partial_credit_difference(
    metric: Metric, tuned: Sequence[Prediction], untuned: Sequence[Prediction], judge: Judge, groups: Sequence[str] | None
) -> PartialCreditDifference | None:
    """The difference in a metric of `PARTIAL_CREDIT_METRICS`; None for other metrics, and for fewer than two cases or groups.

    `groups` has the group of each case of `tuned` if the split kept groups together. Cases without an answer from either arm do not count.
    Raises KeyError if `untuned` lacks a case of `tuned`.
    """
    other = {p.id: p for p in untuned}
    answered = [not p.unanswered and not other[p.id].unanswered for p in tuned]
    tuned, groups = list(compress(tuned, answered)), list(compress(groups, answered)) if groups else None
    if metric not in PARTIAL_CREDIT_METRICS or len(set(groups) if groups else tuned) < 2:
        return None
    score_of = _mean_field_score if metric is Metric.FIELD_ACCURACY else _macro_f1
    first, second = score_of(tuned, judge), score_of([other[p.id] for p in tuned], judge)
    interval = paired_bootstrap(lambda cases: first(cases) - second(cases), len(tuned), groups)
    return PartialCreditDifference(
        metric=metric, estimate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6)
    )


CaseScore = Callable[["NDArray[np.intp]"], float]
"""The score of the cases at these indices."""


def _mean_field_score(predictions: Sequence[Prediction], judge: Judge) -> CaseScore:
    import numpy as np

    scores = np.array([judge.judge(p.output, p.expected, truncated=p.truncated).field_score for p in predictions])
    return lambda cases: float(scores[cases].mean())


def _macro_f1(predictions: Sequence[Prediction], judge: Judge) -> CaseScore:
    """`predictions.macro_f1` as a function of case indices; an answer that cannot be parsed is not a label."""
    import numpy as np

    wanted = [p.expected.strip() for p in predictions]
    got = [judge.judge(p.output, p.expected, truncated=p.truncated).answer for p in predictions]
    number = {label: at for at, label in enumerate(dict.fromkeys([*wanted, *filter(None, got)]))}
    expected = np.array([number[label] for label in wanted])
    # Answers that cannot be parsed get an index of their own, which is not counted.
    answered = np.array([number.get(label, len(number)) for label in got])

    def score(cases: NDArray[np.intp]) -> float:
        drawn, given = expected[cases], answered[cases]
        count = np.bincount(drawn, minlength=len(number)) + np.bincount(given, minlength=len(number) + 1)[: len(number)]
        right = np.bincount(drawn[drawn == given], minlength=len(number))
        seen = count > 0
        return float((2 * right[seen] / count[seen]).mean())

    return score
