"""A compared method gets settings that correspond to those of the method that the case names."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import Training
from tuneproof.engine.methods.matched_settings import matched_training
from tuneproof.engine.methods.registry import METHODS


def test_a_learning_rate_is_scaled_to_the_default_of_each_method() -> None:
    given = Training(learning_rate=2e-3, epochs=8)
    for name, rate in (("full", 2e-4), ("dora", 1e-3), ("ia3", 5e-2)):
        found = matched_training(given, METHODS["lora"], METHODS[name], MethodToCompare(name=name))
        assert found.learning_rate == pytest.approx(rate) and found.epochs == 8
    assert matched_training(Training(), METHODS["lora"], METHODS["full"], MethodToCompare(name="full")).learning_rate is None
    own = MethodToCompare(name="full", learning_rate=1e-5)
    assert matched_training(given, METHODS["lora"], METHODS["full"], own).learning_rate == 1e-5


def test_a_rank_is_shared_only_among_methods_for_which_it_means_the_same() -> None:
    given = Training(rank=64, alpha=16)
    dora = matched_training(given, METHODS["lora"], METHODS["dora"], MethodToCompare(name="dora"))
    assert (dora.rank, dora.alpha) == (64, None)
    assert matched_training(given, METHODS["lora"], METHODS["oft"], MethodToCompare(name="oft")).rank is None
    assert matched_training(given, METHODS["lora"], METHODS["full"], MethodToCompare(name="full")).rank is None
