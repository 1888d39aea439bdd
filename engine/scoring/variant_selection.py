"""Choosing between ways to ask by how they do on validation cases: stored, and made again by `verify`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneproof.engine.run.artifacts import VariantScore
from tuneproof.engine.scoring.predictions import Prediction


class VariantPrediction(Prediction):
    """One line of `validation.jsonl`: the answer to a validation case when it was asked in one of the ways."""

    variant: str


def score_variants(rows: Iterable[VariantPrediction]) -> list[VariantScore]:
    """How each way did, in the order in which they were tried."""
    by_variant: dict[str, list[VariantPrediction]] = {}
    for row in rows:
        by_variant.setdefault(row.variant, []).append(row)
    return [
        VariantScore(variant=name, cases=len(found), correct=sum(p.correct for p in found), format_valid=sum(p.format_valid for p in found))
        for name, found in by_variant.items()
    ]


def best_variant(tried: Sequence[VariantScore]) -> str | None:
    """The way with the most correct answers, then the most valid ones; of equals the first, which is the lightest."""
    best = max(tried, key=lambda t: (t.correct, t.format_valid), default=None)
    return best.variant if best else None


def read_variant_predictions(text: str) -> list[VariantPrediction]:
    """The lines of a stored file."""
    return [VariantPrediction.model_validate_json(line) for line in text.split("\n") if line]
