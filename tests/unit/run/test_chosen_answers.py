"""Which stored answers `verify --rerun N` decodes again: a fixed choice for a run, spread over its arms."""

from __future__ import annotations

from tuneproof.engine.rerun import chosen_answers

STORED = {"zero_shot": ["a", "b", "c"], "few_shot": ["a", "b", "c"], "tuned": ["a"]}


def test_the_choice_is_spread_over_the_arms_and_is_the_same_each_time() -> None:
    first = chosen_answers("digest", STORED, 4)
    assert {arm: len(cases) for arm, cases in first.items()} == {"zero_shot": 2, "few_shot": 1, "tuned": 1}
    assert first == chosen_answers("digest", STORED, 4)


def test_a_run_that_changed_has_another_choice() -> None:
    many = {"tuned": [str(number) for number in range(100)]}
    assert chosen_answers("digest", many, 5) != chosen_answers("another", many, 5)


def test_more_than_there_are_is_all_of_them() -> None:
    assert {arm: sorted(cases) for arm, cases in chosen_answers("digest", STORED, 99).items()} == STORED
    assert chosen_answers("digest", {}, 3) == {}
