"""The number of examples is typed digit by digit, and decides between two routes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.route import Route
from tuneproof.engine.session.decision_form import MAX_DIGITS, RoutesByExamples, routes_by_examples, with_digit, without_last_digit


@given(st.integers(1, 10 ** (MAX_DIGITS - 1) - 1), st.sampled_from("0123456789"))
def test_a_typed_digit_is_removed_again(number: int, digit: str) -> None:
    assert without_last_digit(with_digit(number, digit)) == number


@pytest.mark.parametrize("number", [None, 0, 7])
def test_no_number_is_left_without_digits(number: int | None) -> None:
    assert without_last_digit(number) is None


def test_the_first_digit_is_the_number() -> None:
    assert with_digit(None, "6") == 6


def test_more_digits_than_anyone_has_examples_are_ignored() -> None:
    assert with_digit(123_456_789, "0") == 123_456_789


def test_the_number_decides_between_two_routes(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "a")
    assert routes_by_examples(draft) is None
    for key, value in (("private_facts", False), ("format_drift", True), ("stable_task", True)):
        draft.answer(key, value)
    assert routes_by_examples(draft) == RoutesByExamples(fewer=Route.PROMPT, enough=Route.FINE_TUNING)
