"""A metric as sums over cases: what each case adds, and how the metric is read off the totals.

Totals over any set of cases are sums of rows, so leaving a cluster of cases out, or swapping two arms on some clusters, needs no
second look at the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuneproof.engine.case.task import OUTSIDE_METRICS, Metric
from tuneproof.engine.scoring.grade import Grader, Labels
from tuneproof.engine.scoring.predictions import Prediction

PROPORTIONS = (Metric.EXACT_MATCH, Metric.CHOICE_ACCURACY, Metric.PATTERN_MATCH, Metric.TOOL_ACCURACY, Metric.CONTAINS)
"""The metrics that are a share of cases."""

OF_LABELS = (Metric.MICRO_F1, Metric.MACRO_F1)
"""The metrics that are computed from all labels of all cases, and are no mean over cases."""

if TYPE_CHECKING:
    # A light command makes a card without a measurement, and does not wait for NumPy.
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


@dataclass(frozen=True)
class MetricSums:
    """What each case adds to a metric, shape (cases, columns).

    For a mean the columns are score and 1; for micro-F1 twice the right labels, and the expected and answered ones together. For
    macro-F1 they are, label by label, whether the case has the label, whether the arm answered it, and whether both hold: three blocks
    of `labels` columns.
    """

    sums: Floats
    labels: int = 0

    @property
    def is_proportion(self) -> bool:
        """Whether every case scores 0 or 1, so that the metric is the share of cases that are right."""
        import numpy as np

        return self.labels == 0 and bool(np.isin(self.sums[:, 0], (0.0, 1.0)).all() and (self.sums[:, 1] == 1).all())

    @property
    def has_several(self) -> bool:
        """Whether this is macro-F1 over cases of which some have several labels."""
        return bool(self.labels and (self.sums[:, : self.labels].sum(1) > 1).any())

    @property
    def case_scores(self) -> Floats:
        """What each case scores alone, between 0 and 1, shape (cases,): for F1 its own F1, and 1 where it has nothing to name."""
        import numpy as np

        numerators, denominators = self.sums[:, 0], self.sums[:, 1]
        if self.labels:
            expected, answered, right = (self.sums[:, at * self.labels : (at + 1) * self.labels].sum(1) for at in range(3))
            numerators, denominators = 2 * right, expected + answered
        found: Floats = np.where(denominators > 0, numerators / np.maximum(denominators, 1), 1.0)
        return found

    def value(self, totals: Floats) -> Floats:
        """The metric of totals: shape (…, columns) to shape (…)."""
        import numpy as np

        if self.labels == 0:
            # Sums of whole numbers, but for rounding where clusters are left out.
            counts = totals[..., 1] > 0.5
            found: Floats = np.where(counts, totals[..., 0] / np.where(counts, totals[..., 1], 1.0), 0.0)
            return found
        expected, answered, right = (totals[..., at * self.labels : (at + 1) * self.labels] for at in range(3))
        counted = expected + answered
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


def sums_of_labels(pairs: Sequence[Labels], labels: Sequence[str]) -> MetricSums:
    """Macro-F1 over labels; an answered label that is none of the `labels` counts as none."""
    import numpy as np

    number = {label: at for at, label in enumerate(labels)}
    count = len(labels)
    sums = np.zeros((len(pairs), 3 * count))
    for row, pair in enumerate(pairs):
        answered = [label for label in pair.answered if label in number]
        sums[row, [number[label] for label in pair.expected]] = 1
        sums[row, [count + number[label] for label in answered]] = 1
        sums[row, [2 * count + number[label] for label in answered if label in pair.expected]] = 1
    return MetricSums(sums, labels=count)


def sums_of_micro_f1(pairs: Sequence[Labels]) -> MetricSums:
    """Micro-F1: of all labels of all cases together."""
    import numpy as np

    return MetricSums(np.array([(2.0 * pair.right, len(pair.expected) + len(pair.answered)) for pair in pairs]).reshape(-1, 2))


def metric_sums(metric: Metric, arms: Sequence[Sequence[Prediction]], grader: Grader) -> list[MetricSums]:
    """The metric of several arms over the same cases in the same order; a case without an answer scores 0."""
    if metric not in OF_LABELS:
        return [sums_of_scores([score_of(metric, prediction, grader) for prediction in arm]) for arm in arms]
    pairs = [[named_labels(prediction, grader) for prediction in arm] for arm in arms]
    if metric is Metric.MICRO_F1:
        return [sums_of_micro_f1(arm) for arm in pairs]
    labels = sorted({label for arm in pairs for pair in arm for label in (*pair.expected, *pair.answered)})
    return [sums_of_labels(arm, labels) for arm in pairs]


def score_of(metric: Metric, prediction: Prediction, grader: Grader) -> float:
    """What one case scores alone, between 0 and 1."""
    if prediction.unanswered:
        return 0.0
    if metric in OF_LABELS:
        return named_labels(prediction, grader).f1
    if metric in OUTSIDE_METRICS:
        return prediction.outside.value if prediction.outside is not None else 0.0
    return grader.grade(prediction.answer, prediction.expected, truncated=prediction.truncated).scores.get(metric, 0.0)


def named_labels(prediction: Prediction, grader: Grader) -> Labels:
    """The labels that a case has and those that its answer names; none where it has no answer."""
    answer = "" if prediction.unanswered else prediction.answer
    return grader.grade(answer, prediction.expected, truncated=prediction.truncated).labels or Labels(())
