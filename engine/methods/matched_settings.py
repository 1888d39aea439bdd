"""The settings of a further method that is compared with the case's own, chosen so that neither method has an advantage."""

from __future__ import annotations

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import Training
from tuneproof.engine.methods.method import MethodSpec

OWN_SETTINGS = ("learning_rate", "rank", "alpha", "virtual_tokens")
"""The settings whose scale differs from method to method; all others are the same for both."""


def matched_training(training: Training, named: MethodSpec, method: MethodSpec, given: MethodToCompare) -> Training:
    """The training settings of `method`, matched to those of the case's method `named`; settings that the case gives take precedence.

    The learning rate is scaled by the ratio of the two defaults: full fine-tuning takes a tenth of LoRA's ("LoRA Without Regret", Schulman
    et al. 2025). The rank is the same if both methods scale by alpha, so that they train about as many parameters; for other methods a rank
    means something else, and the method's default applies.
    """
    matched = {"learning_rate": _learning_rate(training, named, method), "rank": _rank(training, named, method)}
    return training.model_copy(update={key: getattr(given, key) or matched.get(key) for key in OWN_SETTINGS})


def _learning_rate(training: Training, named: MethodSpec, method: MethodSpec) -> float | None:
    if training.learning_rate is None:
        return None
    return float(f"{training.learning_rate / named.learning_rate.value * method.learning_rate.value:.6g}")


def _rank(training: Training, named: MethodSpec, method: MethodSpec) -> int | None:
    return training.rank if named.alpha_by_rank and method.alpha_by_rank else None
