"""Selecting the best variant of an arm by its score on validation cases. The answers are stored, so that `verify` can select again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneproof.engine.run.artifacts import VariantScore
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.metric_sums import metric_sums
from tuneproof.engine.scoring.predictions import Prediction


class VariantPrediction(Prediction):
    """One line of `validation.jsonl`: the answer of one variant to a validation case."""

    variant: str


def score_variants(rows: Iterable[VariantPrediction], measure: Measure | None = None) -> list[VariantScore]:
    """The score of each variant, in the order of `rows`; without a measure, as earlier versions stored it."""
    by_variant: dict[str, list[VariantPrediction]] = {}
    for row in rows:
        by_variant.setdefault(row.variant, []).append(row)
    return [
        VariantScore(
            variant=name,
            cases=len(found),
            correct=sum(p.correct for p in found),
            format_valid=sum(p.format_valid for p in found),
            score=deciding_score(found, measure) if measure else None,
        )
        for name, found in by_variant.items()
    ]


def best_variant(scores: Sequence[VariantScore]) -> str | None:
    """The variant with the best score, then the most valid answers; the first, which is the lightest, on a tie."""
    best = max(scores, key=_rank, default=None)
    return best.variant if best else None


def read_variant_predictions(text: str) -> list[VariantPrediction]:
    """The predictions in the text of a `validation.jsonl`."""
    return [VariantPrediction.model_validate_json(line) for line in text.split("\n") if line]


def deciding_score(rows: Sequence[Prediction], measure: Measure) -> float | None:
    """The metric that decides; None where it is the share of correct answers, which the counts have."""
    if measure.counts_correct_answers:
        return None
    sums = metric_sums(measure.metric, [rows], measure.grader)[0]
    return round(float(sums.value(sums.sums.sum(0))), 6)


def _rank(score: VariantScore) -> tuple[float, int, int]:
    return (score.correct / score.cases if score.score is None else score.score, score.correct, score.format_valid)
