"""How a case measures its arms: the metric that decides, which cases belong together, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, OutputKind, Task
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.judgement import Judgement, Outcome
from tuneproof.engine.scoring.metric_sums import metric_sums
from tuneproof.engine.scoring.paired_scores import PairedScores
from tuneproof.engine.scoring.predictions import Prediction
from tuneproof.engine.scoring.rule import MeasuredArm
from tuneproof.engine.scoring.scores import Scores
from tuneproof.engine.scoring.statistics import Interval
from tuneproof.engine.scoring.verdict_schema import IntervalMethod, PairedDifference, TestMethod

if TYPE_CHECKING:
    from tuneproof.engine.scoring.metric_sums import Floats, Ints


COUNTS_CORRECT = {
    OutputKind.JSON: (Metric.EXACT_MATCH,),
    OutputKind.CHOICE: (Metric.CHOICE_ACCURACY, Metric.EXACT_MATCH),
    OutputKind.LABELS: (Metric.EXACT_MATCH,),
    OutputKind.PATTERN: (Metric.PATTERN_MATCH,),
    OutputKind.TOOL_CALLS: (Metric.EXACT_MATCH,),
    OutputKind.TEXT: (Metric.EXACT_MATCH, Metric.CONTAINS),
}
"""The metrics of each output kind that count what is correct: of a free text only where it is the metric of the task, without rules."""


@dataclass(frozen=True)
class ScoredArm:
    """An arm with its scores and its predictions."""

    scores: Scores
    predictions: Sequence[Prediction]
    is_external: bool = False
    """Whether another model than the base answered, whose tokens are its own."""
    judged: Mapping[str, Mapping[str, Judgement]] = field(default_factory=dict)
    """The judge's verdicts on its answers against those of other arms: by the name of the arm, then by the case."""

    @property
    def name(self) -> str:
        """The name of the arm."""
        return self.scores.arm


@dataclass(frozen=True)
class Measure:
    """How arms are measured: `groups` has the group of each frozen case by its id, where cases belong together."""

    task: Task
    target: Target | None
    grader: Grader
    groups: Mapping[str, str] = field(default_factory=dict)
    judge_problem: str | None = None
    """Why the judge whose verdicts the metric is made of may not decide; None if it may, and for other metrics."""

    @property
    def metric(self) -> Metric:
        """The metric that decides: the target's, else the task's."""
        return (self.target and self.target.metric) or self.task.primary_metric

    @property
    def counts_correct_answers(self) -> bool:
        """Whether the metric that decides is the share of correct answers."""
        is_another = self.metric is not self.task.primary_metric
        if (self.is_open and (self.task.rules or is_another)) or (self.task.is_scored_outside and is_another):
            return False
        return self.metric in COUNTS_CORRECT[self.task.output.kind]

    @property
    def is_open(self) -> bool:
        """Whether answers are free texts."""
        return self.task.output.kind is OutputKind.TEXT

    @property
    def shows_score(self) -> bool:
        """Whether the card has a column for the metric that decides beside what is correct."""
        has_own = self.task.output.kind in (OutputKind.TEXT, OutputKind.LABELS) or self.task.is_scored_outside
        return has_own and not self.counts_correct_answers

    @property
    def says_right(self) -> bool:
        """Whether a case that counts in the metric that decides is called right."""
        return self.counts_correct_answers or not self.is_open

    def score_beside_correct(self, scores: Scores) -> float | None:
        """The metric that decides, over the cases with an answer; None where it is the share of correct answers."""
        return None if self.counts_correct_answers else scores.metrics[self.metric]

    @property
    def at_least(self) -> float | None:
        """The score that is good enough; None where no score is asked for, or where no judge may say whether it is reached."""
        return self.target.at_least if self.target and self.judge_problem is None else None

    @property
    def min_gain(self) -> float:
        """The gain that is worth having."""
        return (self.target or Target()).min_gain

    def arms(self, scored: Sequence[ScoredArm], seeds: Sequence[ScoredArm] = ()) -> list[MeasuredArm]:
        """The arms over the same cases in the same order; `seeds` are further trainings of the last of them.

        Raises KeyError where an arm was not asked the cases of the first.
        """
        import numpy as np

        if not scored:
            return []
        ids = [prediction.id for prediction in scored[0].predictions]
        everything = [_in_order(arm, ids) for arm in [*scored, *seeds]]
        sums = metric_sums(self.metric, everything, self.grader)
        clusters = self._clusters(ids)
        found = []
        for number, arm in enumerate(scored):
            entries = (sums[number], *sums[len(scored) :]) if number == len(scored) - 1 else (sums[number],)
            answered = np.array([not prediction.unanswered for prediction in everything[number]], bool)
            trained = [arm, *seeds] if number == len(scored) - 1 else [arm]
            found.append(MeasuredArm(arm.name, entries, answered, clusters, self._outcomes(trained, ids)))
        return found

    def difference(self, first: ScoredArm, second: ScoredArm) -> PairedDifference:
        """The first arm minus the second, in the metric that decides, on the cases that both answered."""
        other, one = self.arms([second, first])
        pair = one.against(other)
        return self.stored(pair, pair.interval(), pair.p_value)

    def stored(self, pair: PairedScores, interval: Interval, p_value: float, arms: int = 1) -> PairedDifference:
        """A difference as the card has it, figures rounded to six places."""
        alone = pair.units == pair.cases
        counts = pair.counts
        is_score = counts is not None and alone
        return PairedDifference(
            estimate=round(interval.estimate, 6),
            low=round(interval.low, 6),
            high=round(interval.high, 6),
            p_value=float(f"{p_value:.6g}"),
            only_tuned_right=pair.wins,
            only_untuned_right=pair.losses,
            metric=self.metric,
            interval=IntervalMethod.SCORE if is_score else IntervalMethod.JACKKNIFE if alone else IntervalMethod.CLUSTER_JACKKNIFE,
            test=TestMethod.MCNEMAR_EXACT if is_score else TestMethod.PERMUTATION if alone else TestMethod.CLUSTER_PERMUTATION,
            cases=pair.cases,
            clusters=None if alone else pair.units,
            arms=arms,
            seeds=len(pair.first),
            judged=pair.is_judged,
        )

    def _outcomes(self, trained: Sequence[ScoredArm], ids: Sequence[str]) -> dict[str, tuple[Floats, ...]]:
        """The judge's verdicts on the answers of each training against those of each arm that all of them were compared with."""
        import numpy as np

        if self.metric is not Metric.PREFERENCE:
            return {}
        worth = {Outcome.WIN: 1.0, Outcome.TIE: 0.0, Outcome.LOSS: -1.0}
        others = [name for name in trained[0].judged if all(name in arm.judged for arm in trained)]
        return {
            name: tuple(
                np.array([worth[verdicts[case].outcome] if case in verdicts else np.nan for case in ids])
                for verdicts in (arm.judged[name] for arm in trained)
            )
            for name in others
        }

    def _clusters(self, ids: Sequence[str]) -> Ints | None:
        """The number of each case's group from 0, a case without a group standing alone; None where every case does."""
        import numpy as np

        if not self.groups:
            return None
        names = [self.groups.get(case, f"case {case}") for case in ids]
        numbers = np.unique(np.array(names, dtype=object), return_inverse=True)[1].astype(np.intp)
        return None if len(set(names)) == len(names) else numbers


def _in_order(arm: ScoredArm, ids: Sequence[str]) -> list[Prediction]:
    by_id = {prediction.id: prediction for prediction in arm.predictions}
    return [by_id[case] for case in ids]
