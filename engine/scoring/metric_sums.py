"""A metric as sums over cases: what each case adds, and how the metric is read off the totals.

Totals over any set of cases are sums of rows, so leaving a cluster of cases out, or swapping two arms on some clusters, needs no
second look at the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuneproof.engine.case.task import Metric, OutputKind
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.graders import Grader
from tuneproof.engine.scoring.predictions import Prediction

PROPORTIONS = (Metric.EXACT_MATCH, Metric.CHOICE_ACCURACY, Metric.PATTERN_MATCH)
"""The metrics that are the share of cases that are right."""

if TYPE_CHECKING:
    # A light command makes a card without a measurement, and does not wait for NumPy.
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


@dataclass(frozen=True)
class MetricSums:
    """What each case adds to a metric, shape (cases, columns).

    For a mean the columns are score and 1. For macro-F1 they are, label by label, whether the case has the label, whether the arm
    answered it, and whether both hold: three blocks of `labels` columns.
    """

    sums: Floats
    labels: int = 0

    @property
    def is_proportion(self) -> bool:
        """Whether every case scores 0 or 1, so that the metric is the share of cases that are right."""
        import numpy as np

        return self.labels == 0 and bool(np.isin(self.sums[:, 0], (0.0, 1.0)).all())

    def value(self, totals: Floats) -> Floats:
        """The metric of totals: shape (…, columns) to shape (…)."""
        import numpy as np

        if self.labels == 0:
            found: Floats = totals[..., 0] / totals[..., 1]
            return found
        expected, answered, right = (totals[..., at * self.labels : (at + 1) * self.labels] for at in range(3))
        counted = expected + answered
        # Sums of whole numbers, but for rounding where clusters are left out.
        seen = counted > 0.5
        f1 = np.where(seen, 2 * right / np.where(seen, counted, 1.0), 0.0)
        mean: Floats = f1.sum(-1) / np.maximum(seen.sum(-1), 1)
        return mean

    def only(self, cases: Sequence[int] | Ints) -> MetricSums:
        """The same for some of the cases, by their positions."""
        import numpy as np

        return replace(self, sums=self.sums[np.asarray(cases, np.intp)])

    def by_unit(self, clusters: Ints | None) -> Floats:
        """The sums of each cluster, shape (clusters, columns), or of each case where there are none.

        `clusters` numbers the cluster of each case from 0, without gaps.
        """
        import numpy as np

        if clusters is None:
            return self.sums
        totals = np.zeros((int(clusters.max()) + 1, self.sums.shape[1]))
        np.add.at(totals, clusters, self.sums)
        return totals


def sums_of_scores(scores: Sequence[float] | Floats) -> MetricSums:
    """The mean of scores between 0 and 1, one a case."""
    import numpy as np

    column = np.asarray(scores, float)
    return MetricSums(np.column_stack([column, np.ones(len(column))]))


def sums_of_labels(expected: Sequence[str], answered: Sequence[str], labels: Sequence[str]) -> MetricSums:
    """Macro-F1 over labels; an answer that is none of the `labels` counts as an answer with no label."""
    import numpy as np

    number = {label: at for at, label in enumerate(labels)}
    count = len(labels)
    sums = np.zeros((len(expected), 3 * count))
    for row, (wanted, got) in enumerate(zip(expected, answered, strict=True)):
        sums[row, number[wanted]] = 1
        if got in number:
            sums[row, count + number[got]] = 1
            if got == wanted:
                sums[row, 2 * count + number[got]] = 1
    return MetricSums(sums, labels=count)


def metric_sums(metric: Metric, kind: OutputKind, arms: Sequence[Sequence[Prediction]], grader: Grader) -> list[MetricSums]:
    """The metric of several arms over the same cases in the same order; a case without an answer scores 0."""
    if metric is not Metric.MACRO_F1:
        return [sums_of_scores([score_of(metric, kind, prediction, grader) for prediction in arm]) for arm in arms]
    answers = [[_label(prediction, grader) for prediction in arm] for arm in arms]
    expected = [answer_of(prediction.expected).strip() for prediction in arms[0]]
    labels = sorted({*expected, *(answer for arm in answers for answer in arm if answer)})
    return [sums_of_labels(expected, answered, labels) for answered in answers]


def score_of(metric: Metric, kind: OutputKind, prediction: Prediction, grader: Grader) -> float:
    """What one case scores, between 0 and 1, in a metric that is a mean over cases."""
    if prediction.unanswered:
        return 0.0
    if metric is Metric.FIELD_ACCURACY:
        return grader.grade(prediction.answer, prediction.expected, truncated=prediction.truncated).field_score
    if metric is Metric.EXACT_MATCH and kind is OutputKind.PATTERN:
        # Right is what the pattern finds; an exact match is the whole text.
        return float(answer_of(prediction.answer).strip() == answer_of(prediction.expected).strip())
    return float(prediction.correct)


def _label(prediction: Prediction, grader: Grader) -> str:
    if prediction.unanswered:
        return ""
    return grader.grade(prediction.answer, prediction.expected, truncated=prediction.truncated).answer
