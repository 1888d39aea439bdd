"""Selecting the best variant of an arm by its score on validation cases. The answers are stored, so that `verify` can select again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneproof.engine.run.artifacts import VariantScore
from tuneproof.engine.scoring.predictions import Prediction


class VariantPrediction(Prediction):
    """One line of `validation.jsonl`: the answer of one variant to a validation case."""

    variant: str


def score_variants(rows: Iterable[VariantPrediction]) -> list[VariantScore]:
    """The score of each variant, in the order of `rows`."""
    by_variant: dict[str, list[VariantPrediction]] = {}
    for row in rows:
        by_variant.setdefault(row.variant, []).append(row)
    return [
        VariantScore(variant=name, cases=len(found), correct=sum(p.correct for p in found), format_valid=sum(p.format_valid for p in found))
        for name, found in by_variant.items()
    ]


def best_variant(scores: Sequence[VariantScore]) -> str | None:
    """The variant with the most correct answers, then the most valid ones; the first, which is the lightest, on a tie."""
    best = max(scores, key=lambda score: (score.correct, score.format_valid), default=None)
    return best.variant if best else None


def read_variant_predictions(text: str) -> list[VariantPrediction]:
    """The predictions in the text of a `validation.jsonl`."""
    return [VariantPrediction.model_validate_json(line) for line in text.split("\n") if line]
