"""The first rule that applies decides the route, and the what-if table shows which answer would change it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.route import QUESTIONS, Question, Route, RouteAnswers, choose_route, reason_for, route_steps, what_if
from tuneproof.engine.case.schema import DecisionAnswers

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
def test_the_questions_added_later_change_nothing_as_long_as_their_answers_are_no(answers: RouteAnswers) -> None:
    enough = answers.format_drift and answers.stable_task and answers.labeled_examples >= 50
    rules = [
        (answers.private_facts or answers.facts_change_often, Route.RAG),
        (answers.preference_problem, Route.ALIGNMENT),
        (answers.needs_actions, Route.TOOLING),
        (enough, Route.FINE_TUNING),
    ]
    assert choose_route(answers) is next((route for applies, route in rules if applies), Route.PROMPT)
    stored = DecisionAnswers(**{q.key: getattr(answers, q.key) for q in QUESTIONS}).model_dump()
    assert list(stored) == [q.key for q in QUESTIONS[:7]], "an answer that is no is not stored, so that digests stay the same"


@pytest.mark.parametrize(
    ("case", "answers", "route", "step"),
    [
        ("brand voice", RouteAnswers(False, False, True, 400, style_from_examples=True), Route.FINE_TUNING, "few_shot"),
        ("150 labels", RouteAnswers(False, False, True, 2000, prompt_falls_short=True), Route.FINE_TUNING, "best prompt"),
        ("a cheaper model", RouteAnswers(False, False, True, 500, cheaper_model=True), Route.FINE_TUNING, "not_worse_than: endpoint"),
        ("unsafe requests", RouteAnswers(False, False, True, 300, unsafe_requests=True), Route.GUARD, "Align the model next"),
        ("a short price list", RouteAnswers(True, False, True, 30, fits_in_prompt=True), Route.PROMPT, "into the prompt"),
    ],
)
def test_a_problem_other_than_a_drifting_format_gets_its_route_its_reason_and_what_to_do(
    case: str, answers: RouteAnswers, route: Route, step: str
) -> None:
    assert choose_route(answers) is route, case
    assert reason_for(answers) and step in " ".join(route_steps(answers))


def test_150_labels_begin_with_a_prompt_and_the_table_says_that_a_prompt_that_falls_short_changes_that() -> None:
    answers = RouteAnswers(False, False, True, 2000)
    assert choose_route(answers) is Route.PROMPT
    assert [(row.key, row.route) for row in what_if(answers) if row.key == "prompt_falls_short"] == [
        ("prompt_falls_short", Route.FINE_TUNING)
    ]


@given(ANSWERS, st.lists(st.sampled_from(QUESTIONS[7:])))
def test_every_route_has_a_reason_and_something_to_do(answers: RouteAnswers, more: list[Question]) -> None:
    said = replace(answers, **{question.key: True for question in more})
    assert reason_for(said).endswith(".") and all(step.endswith(".") for step in route_steps(said))
    assert len(route_steps(said)) == len(set(route_steps(said))) >= 1
    assert "needs  first" not in reason_for(said)


def test_every_question_has_an_example_and_those_added_later_say_what_to_do_next() -> None:
    assert all(question.example.endswith(".") for question in QUESTIONS)
    assert all(question.next_step for question in QUESTIONS[7:])


@given(ANSWERS)
def test_what_if_flips_every_answer_alone_and_has_both_sides_of_the_threshold(answers: RouteAnswers) -> None:
    rows = what_if(answers)
    assert [row.key for row in rows if isinstance(row.value, bool)] == [q.key for q in QUESTIONS if q.key != "labeled_examples"]
    assert all(row.value is not getattr(answers, row.key) for row in rows if isinstance(row.value, bool))
    assert [row.value for row in rows if row.key == "labeled_examples"] == [49, 50]
