"""The scores of an arm, computed from its graded answers. They are stored, and `verify` computes them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.case.task import Metric
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.grade import FailureClass, Grader, Labels
from tuneproof.engine.scoring.labels_grader import LabelsGrader
from tuneproof.engine.scoring.metric_sums import metric_sums, named_labels
from tuneproof.engine.scoring.outside_score import field_means
from tuneproof.engine.scoring.predictions import Prediction, answered_predictions
from tuneproof.engine.scoring.statistics import wilson
from tuneproof.engine.scoring.text_grader import TextGrader


class LabelScore(BaseModel):
    """One label of several: over the cases that have it and the answers that name it."""

    model_config = ConfigDict(extra="forbid")

    precision: float | None
    """Of the answers that name it, the share that are right to; None if none names it."""
    recall: float | None
    """Of the cases that have it, the share whose answer names it; None if no case has it."""
    f1: float
    support: int
    """Cases that have it."""
    answered: int
    """Answers that name it."""


class Scores(BaseModel):
    """The scores of an arm on the frozen cases, computed over the `n` cases that have an answer.

    `seconds` is measured; everything else follows from the predictions. The last fields are stored only if they are not empty.
    """

    model_config = ConfigDict(extra="forbid")

    arm: str
    n: int
    format_valid: Rate
    correct: Rate
    metrics: dict[Metric, float]
    failures: dict[FailureClass, int]
    wrong_fields: dict[str, int]
    truncated: int
    tokens_per_case: float
    prompt_tokens_per_case: float
    seconds: float
    seconds_per_case: float
    recall: Rate | None = None
    """The share of the cases that name documents whose prompts have a passage of each of them; None if no case names one."""
    left_out: int = 0
    unanswered: dict[str, int] = Field(default={}, exclude_if=lambda reasons: not reasons)
    """Number of cases without an answer, by the reason."""
    metrics_at_worst: dict[Metric, float] = Field(default={}, exclude_if=lambda metrics: not metrics)
    """The metrics with unanswered cases counted as wrong."""
    fields: dict[str, float] = Field(default={}, exclude_if=lambda fields: not fields)
    """The mean of each field that the script of the case gave, where it gave several."""
    tokens_untold: int = Field(default=0, exclude_if=lambda count: not count)
    """Number of answers without token counts; tokens per case are the mean of the others."""
    rules: dict[str, Rate] = Field(default={}, exclude_if=lambda rules: not rules)
    """How often the answers keep each rule of the task, by its title."""
    labels: dict[str, LabelScore] = Field(default={}, exclude_if=lambda labels: not labels)
    """For kind labels, each label that a case has or an answer names, the most frequent first."""
    attempts: int = Field(default=0, exclude_if=lambda count: not count)
    """Number of requests, if some were repeated."""

    @property
    def all_cases(self) -> int:
        """Number of frozen cases, unanswered ones included."""
        return self.n + sum(self.unanswered.values())


def score_predictions(arm: str, all_predictions: Sequence[Prediction], metrics: Sequence[Metric], grader: Grader, seconds: float) -> Scores:
    """The scores of an arm over the cases that have an answer; `seconds` is the time they took. Raises ValueError if no case has one."""
    predictions = answered_predictions(all_predictions)
    n = len(predictions)
    counted = [p for p in predictions if p.usage_known]
    attempts = sum(p.attempts for p in all_predictions)
    return Scores(
        arm=arm,
        n=n,
        format_valid=wilson_rate(sum(p.format_valid for p in predictions), n),
        correct=wilson_rate(sum(p.correct for p in predictions), n),
        metrics=compute_metrics(metrics, predictions, grader),
        failures=dict(Counter(p.failure_class for p in predictions if p.failure_class).most_common()),
        wrong_fields=dict(Counter(f for p in predictions for f in p.fields).most_common()),
        truncated=sum(p.truncated for p in predictions),
        tokens_per_case=round(sum(p.tokens for p in counted) / max(1, len(counted)), 3),
        prompt_tokens_per_case=round(sum(p.prompt_tokens for p in counted) / max(1, len(counted)), 3),
        seconds=seconds,
        seconds_per_case=round(seconds / n, 6),
        recall=_recall(predictions),
        fields=dict(field_means([p.outside for p in predictions if p.outside is not None])),
        left_out=sum(p.left_out for p in predictions),
        unanswered=dict(Counter(p.unanswered for p in all_predictions if p.unanswered).most_common()),
        metrics_at_worst=compute_metrics(metrics, all_predictions, grader) if n < len(all_predictions) else {},
        tokens_untold=n - len(counted),
        rules={rule: wilson_rate(sum(rule not in p.fields for p in predictions), n) for rule in rule_titles(grader)},
        labels=label_scores([named_labels(p, grader) for p in predictions]) if isinstance(grader, LabelsGrader) else {},
        attempts=attempts if attempts > len(all_predictions) else 0,
    )


def label_scores(pairs: Sequence[Labels]) -> dict[str, LabelScore]:
    """Precision, recall and F1 of each label, the most frequent first."""
    support = Counter(label for pair in pairs for label in pair.expected)
    answered = Counter(label for pair in pairs for label in pair.answered)
    right = Counter(label for pair in pairs for label in pair.answered if label in pair.expected)
    return {
        label: LabelScore(
            precision=round(right[label] / answered[label], 6) if answered[label] else None,
            recall=round(right[label] / support[label], 6) if support[label] else None,
            f1=round(2 * right[label] / (support[label] + answered[label]), 6),
            support=support[label],
            answered=answered[label],
        )
        for label in sorted({*support, *answered}, key=lambda label: (-support[label], label))
    }


def rule_titles(grader: Grader) -> tuple[str, ...]:
    """The titles of the rules that a grader checks."""
    return grader.rules.titles if isinstance(grader, TextGrader) else ()


def _recall(predictions: Sequence[Prediction]) -> Rate | None:
    naming = [p for p in predictions if p.needed]
    if not naming:
        return None
    found = sum({place.rpartition(":")[0] for place in p.shown}.issuperset(p.needed) for p in naming)
    return wilson_rate(found, len(naming))


def wilson_rate(successes: int, n: int) -> Rate:
    """A proportion with its Wilson interval, rounded as it is stored."""
    interval = wilson(successes, n)
    return Rate(rate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6))


def compute_metrics(metrics: Sequence[Metric], predictions: Sequence[Prediction], grader: Grader) -> dict[Metric, float]:
    """Each of the metrics, between 0 and 1; unanswered cases count as wrong."""
    found = {metric: metric_sums(metric, [predictions], grader)[0] for metric in metrics}
    return {metric: round(float(sums.value(sums.sums.sum(0))), 6) for metric, sums in found.items()}
