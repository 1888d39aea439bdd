"""Methods are compared on the same rows and cases, each with a start as good as the other's, and read for no more than luck leaves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.scoring.test_verdict import arm, first
from tuneproof.engine.card.method_comparison import ComparisonSection, Entrant, comparison_lines, make_comparison
from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import Training
from tuneproof.engine.methods.matched_settings import matched_training
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.artifacts import MethodFacts, TrainingFacts

TRAINED = TrainingFacts(
    examples=94,
    steps=48,
    best_step=42,
    validation_cases=26,
    validation_format_valid=1.0,
    validation_correct=0.9,
    validation_loss=0.1,
    trained_parameters=1000,
    all_parameters=2000,
    seconds=9.0,
)


def planned(name: str, skipped: str | None = None) -> MethodFacts:
    return MethodFacts(name=name, why="", trains="", settings={"learning_rate": 1e-4}, skipped=skipped, overruled=[])


def entrant(name: str, right: Sequence[bool]) -> Entrant:
    return Entrant(planned(name), TRAINED, arm(f"tuned_{name}", right))


def comparison(**others: Sequence[bool]) -> ComparisonSection:
    return make_comparison(entrant("lora", first(40)), [entrant(name, right) for name, right in others.items()])


@pytest.mark.parametrize(
    ("full", "dora", "told"),
    [
        (first(20), first(20), "lora is better than full and dora, beyond what luck explains on these 60 cases."),
        (first(42), first(39), "These 60 cases cannot tell full and dora from lora."),
        (first(20), first(42), "These 60 cases cannot tell dora from lora; it is better than full."),
        (first(59), first(20), "full is better than lora: +32 points"),
    ],
)
def test_the_interval_and_the_adjusted_test_decide_what_is_said(full: Sequence[bool], dora: Sequence[bool], told: str) -> None:
    assert comparison(full=full, dora=dora).summary.startswith(told)


def test_a_better_method_is_to_be_confirmed_on_cases_that_did_not_choose_it() -> None:
    assert "name it in a new run with cases that nothing has been chosen by" in comparison(full=first(59)).summary


def test_p_values_are_adjusted_for_all_that_were_compared() -> None:
    alone, among = comparison(full=first(48)), comparison(full=first(48), dora=first(41), ia3=first(42))
    assert alone.methods[1].p_holm == alone.methods[1].difference.p_value  # type: ignore[union-attr]
    assert (among.methods[1].p_holm or 0) == pytest.approx(3 * (alone.methods[1].p_holm or 0), rel=1e-5)


def test_a_method_that_was_not_trained_is_there_with_the_reason() -> None:
    found = make_comparison(entrant("lora", first(40)), [Entrant(planned("qlora", "no GPU"), None, None)])
    assert found.summary == "No other method than lora was trained."
    assert comparison_lines(found)[1] == "qlora: not trained: no GPU"


def test_a_learning_rate_is_as_many_times_the_default_for_each() -> None:
    given = Training(learning_rate=2e-3, epochs=8)
    for name, rate in (("full", 2e-4), ("dora", 1e-3), ("ia3", 5e-2)):
        found = matched_training(given, METHODS["lora"], METHODS[name], MethodToCompare(name=name))
        assert found.learning_rate == pytest.approx(rate) and found.epochs == 8
    assert matched_training(Training(), METHODS["lora"], METHODS["full"], MethodToCompare(name="full")).learning_rate is None
    own = MethodToCompare(name="full", learning_rate=1e-5)
    assert matched_training(given, METHODS["lora"], METHODS["full"], own).learning_rate == 1e-5


def test_a_rank_is_the_same_where_it_means_the_same() -> None:
    given = Training(rank=64, alpha=16)
    dora = matched_training(given, METHODS["lora"], METHODS["dora"], MethodToCompare(name="dora"))
    assert (dora.rank, dora.alpha) == (64, None)
    assert matched_training(given, METHODS["lora"], METHODS["oft"], MethodToCompare(name="oft")).rank is None
    assert matched_training(given, METHODS["lora"], METHODS["full"], MethodToCompare(name="full")).rank is None
