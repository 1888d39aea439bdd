"""A date is what it states, in any common form; one that can be read two ways is not read at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.compare import Care, DateOrder, DateRule
from tuneproof.engine.scoring.comparison.dates import read_date, same_date


def same(answer: str, expected: str, rule: DateRule | None = None) -> bool:
    rule = rule or DateRule()
    given, wanted = read_date(answer, rule.first), read_date(expected, rule.first)
    return given is not None and wanted is not None and same_date(given, wanted, rule)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-25", "20260125", "2026/01/25", "25 January 2026", "Jan 25, 2026", "25th of January 2026", "25.1.2026", "25/01/2026"),
        *("01/25/2026", "Sunday, 25 January 2026", "25-Jan-26", "**2026-01-25**", "2026-01-25.", "2026-01-25T00:00:00", "2026-01-25 10:30"),
    ],
)
def test_a_day_is_the_same_in_every_form(text: str) -> None:
    assert same(text, "2026-01-25") and not same(text, "2026-01-24")


def test_a_date_with_day_and_month_either_way_round_needs_the_order() -> None:
    assert read_date("03/04/2026") is None
    assert same("03/04/2026", "2026-04-03", DateRule(first=DateOrder.DAY))
    assert same("03/04/2026", "2026-03-04", DateRule(first=DateOrder.MONTH))


def test_an_answer_states_all_that_is_expected() -> None:
    assert not same("March 2026", "2026-03-05") and same("2026-03-05", "March 2026")
    assert not same("2026-03-05", "2026-03-05T10:00") and not same("2026-03-05T11:00", "2026-03-05T10:00")
    assert same("2026-03-05T11:00", "2026-03-05T10:00", DateRule(time=Care.IGNORE))


def test_a_time_is_the_same_in_every_zone() -> None:
    assert same("2026-01-05T12:00:00+02:00", "2026-01-05T10:00:00Z") and not same("2026-01-05T12:00:00Z", "2026-01-05T10:00:00Z")


@pytest.mark.parametrize("text", ["", "10", "2026", "may", "10:30", "1/2", "12 30", "2026-02-30", "chapter 5 2026", "no date", "9" * 30])
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_none(text: str) -> None:
    read_date(text)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_utc_does_not_have_is_compared_as_a_text(text: str) -> None:
    assert read_date(text) is None
