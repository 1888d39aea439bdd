"""Every approach has a place for a case, and the places agree with the route."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.approaches import FIRST_ON, Approach, Place, advise
from tuneproof.engine.case.route import ENOUGH_EXAMPLES, Route, RouteAnswers, choose_route

ANSWERS = st.builds(RouteAnswers, *[st.booleans()] * 3, st.integers(0, 200), *[st.booleans()] * 8)
DRIFTS = RouteAnswers(private_facts=False, format_drift=True, stable_task=True, labeled_examples=120)


def place_of(answers: RouteAnswers, approach: Approach) -> Place:
    return next(each.place for each in advise(answers) if each.approach is approach)


def why(answers: RouteAnswers, approach: Approach) -> str:
    return next(each.why for each in advise(answers) if each.approach is approach)


@given(ANSWERS)
def test_each_approach_has_one_place_and_the_first_is_that_of_the_route(answers: RouteAnswers) -> None:
    advice = advise(answers)
    assert [each.approach for each in advice] == list(Approach)
    assert [each.approach for each in advice if each.place is Place.FIRST] == [FIRST_ON[choose_route(answers)]]
    assert all(each.why and each.use_when for each in advice)


@given(ANSWERS)
def test_fine_tuning_follows_the_prompt_on_its_own_route_alone(answers: RouteAnswers) -> None:
    assert (place_of(answers, Approach.FINE_TUNING) is Place.THEN) == (choose_route(answers) is Route.FINE_TUNING)


def test_what_training_lacks_is_named() -> None:
    few = replace(DRIFTS, labeled_examples=30, stable_task=False)
    assert place_of(few, Approach.FINE_TUNING) is Place.LATER
    assert f"30 of {ENOUGH_EXAMPLES} examples" in why(few, Approach.FINE_TUNING)
    assert "not the same every time" in why(few, Approach.FINE_TUNING)


def test_a_format_that_a_grammar_enforces_needs_no_training() -> None:
    assert place_of(replace(DRIFTS, needs_actions=True), Approach.FINE_TUNING) is Place.NO
    assert place_of(DRIFTS, Approach.TOOLS) is Place.ALSO


def test_facts_that_fit_into_the_prompt_are_put_there_before_anything_is_looked_up() -> None:
    facts = replace(DRIFTS, private_facts=True)
    assert place_of(facts, Approach.RETRIEVAL) is Place.FIRST
    assert place_of(replace(facts, fits_in_prompt=True), Approach.RETRIEVAL) is Place.LATER
