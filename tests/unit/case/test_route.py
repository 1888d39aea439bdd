"""The first rule that applies decides the route, and the what-if table shows which answer would change it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.route import QUESTIONS, Route, RouteAnswers, choose_route, what_if

ANSWERS = st.builds(
    RouteAnswers,
    private_facts=st.booleans(),
    format_drift=st.booleans(),
    stable_task=st.booleans(),
    labeled_examples=st.integers(0, 200),
    needs_actions=st.booleans(),
    preference_problem=st.booleans(),
    facts_change_often=st.booleans(),
)


@pytest.mark.parametrize(
    ("facts", "drift", "stable", "examples", "route"),
    [
        (True, True, True, 1000, Route.RAG),
        (False, True, True, 50, Route.FINE_TUNING),
        (False, True, True, 49, Route.PROMPT),
        (False, False, True, 500, Route.PROMPT),
        (False, True, False, 500, Route.PROMPT),
    ],
)
def test_the_required_answers_decide_between_retrieval_fine_tuning_and_prompting(
    facts: bool, drift: bool, stable: bool, examples: int, route: Route
) -> None:
    assert choose_route(RouteAnswers(facts, drift, stable, examples)) is route


@pytest.mark.parametrize(
    ("extra", "route"),
    [
        ({"facts_change_often": True, "preference_problem": True, "needs_actions": True}, Route.RAG),
        ({"preference_problem": True, "needs_actions": True}, Route.ALIGNMENT),
        ({"needs_actions": True}, Route.TOOLING),
        ({}, Route.FINE_TUNING),
    ],
)
def test_the_optional_answers_come_after_retrieval_and_before_fine_tuning(extra: dict[str, bool], route: Route) -> None:
    assert choose_route(RouteAnswers(False, True, True, 120, **extra)) is route


@given(ANSWERS)
def test_private_or_changing_facts_always_mean_retrieval(answers: RouteAnswers) -> None:
    assert (choose_route(answers) is Route.RAG) == (answers.private_facts or answers.facts_change_often)


@given(ANSWERS)
def test_what_if_flips_every_answer_alone_and_has_both_sides_of_the_threshold(answers: RouteAnswers) -> None:
    rows = what_if(answers)
    assert [row.key for row in rows if isinstance(row.value, bool)] == [q.key for q in QUESTIONS if q.key != "labeled_examples"]
    assert all(row.value is not getattr(answers, row.key) for row in rows if isinstance(row.value, bool))
    assert [row.value for row in rows if row.key == "labeled_examples"] == [49, 50]
