"""The settings of a method that is compared with the one the case names, so that neither is given a better start."""

from __future__ import annotations

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import Training
from tuneproof.engine.methods.method import MethodSpec

OWN = ("learning_rate", "rank", "alpha", "virtual_tokens")
"""The settings whose size means something else from one method to the next; all others are the same for both."""


def matched_training(training: Training, named: MethodSpec, method: MethodSpec, asked: MethodToCompare) -> Training:
    """The training of a further method: its own settings where the case gives them, and else those that correspond.

    A learning rate of the case is as many times the default here as it is there: full fine-tuning takes a tenth of LoRA's ("LoRA Without
    Regret", Schulman and others 2025). A rank is the same where both scale by alpha, so that they train about as much; elsewhere it counts
    something else, and the method's default stands.
    """
    corresponding = {"learning_rate": _rate(training, named, method), "rank": _rank(training, named, method)}
    own = {key: getattr(asked, key) or corresponding.get(key) for key in OWN}
    return training.model_copy(update=own)


def _rate(training: Training, named: MethodSpec, method: MethodSpec) -> float | None:
    if training.learning_rate is None:
        return None
    return float(f"{training.learning_rate / named.learning_rate.value * method.learning_rate.value:.6g}")


def _rank(training: Training, named: MethodSpec, method: MethodSpec) -> int | None:
    return training.rank if named.alpha_by_rank and method.alpha_by_rank else None
