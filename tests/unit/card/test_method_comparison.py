"""Methods are compared on the same cases, with p-values adjusted for their number."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.scoring.test_verdict import MEASURE, arm, first
from tuneproof.engine.card.method_comparison import ComparisonSection, Entrant, comparison_lines, make_comparison
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
    return make_comparison(MEASURE, entrant("lora", first(40)), [entrant(name, right) for name, right in others.items()])


@pytest.mark.parametrize(
    ("full", "dora", "message"),
    [
        (first(20), first(20), "lora is better than full and dora, by more than chance explains on these 60 cases."),
        (first(42), first(39), "These 60 cases cannot tell full and dora from lora."),
        (first(20), first(42), "These 60 cases cannot tell dora from lora. lora is better than full."),
        (first(59), first(20), "full is better than lora: +32 points"),
    ],
)
def test_interval_and_adjusted_p_value_decide_which_method_is_better(full: Sequence[bool], dora: Sequence[bool], message: str) -> None:
    assert comparison(full=full, dora=dora).summary.startswith(message)


def test_a_better_method_has_to_be_confirmed_on_new_cases() -> None:
    assert "name it in a new run with eval cases that no choice was made on" in comparison(full=first(59)).summary


def test_p_values_are_adjusted_for_the_number_of_methods() -> None:
    alone, among = comparison(full=first(48)), comparison(full=first(48), dora=first(41), ia3=first(42))
    assert alone.methods[1].p_holm == alone.methods[1].difference.p_value  # type: ignore[union-attr]
    assert (among.methods[1].p_holm or 0) == pytest.approx(3 * (alone.methods[1].p_holm or 0), rel=1e-5)


def test_a_method_that_was_not_trained_is_listed_with_the_reason() -> None:
    found = make_comparison(MEASURE, entrant("lora", first(40)), [Entrant(planned("qlora", "no GPU"), None, None)])
    assert found.summary == "Only lora was trained."
    assert comparison_lines(found)[1] == "qlora: not trained: no GPU"
