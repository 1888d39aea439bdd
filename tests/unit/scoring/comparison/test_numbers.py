"""A number is its value, however a person or a model writes it; what is not plainly one number is none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.compare import DecimalMark, NumberRule, Percent, Units
from tuneproof.engine.scoring.comparison.numbers import is_plainly_a_number, number_of, read_number, same_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2007", "2007"),
        ("$2,007.00.", "2007"),
        ("2,007", "2007"),
        ("2.007,00", "2007"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234", "1234"),
        ("1'234.50", "1234.5"),
        ("1\u2019234", "1234"),
        ("1,234,567", "1234567"),
        ("12,34,567", "1234567"),
        ("1.234", "1.234"),
        ("0,123", "0.123"),
        ("1,5", "1.5"),
        (".5", "0.5"),
        ("-5", "-5"),
        ("\u22125", "-5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("+5", "5"),
        ("**42**", "42"),
        ("`42`", "42"),
        ("= 42", "42"),
        ("$42$", "42"),
        (r"\boxed{42}", "42"),
        (r"\$2{,}007", "2007"),
        (r"\frac{1}{2}", "1/2"),
        ("1/2", "1/2"),
        ("3 1/2", "7/2"),
        ("3½", "7/2"),
        ("1e3", "1000"),
        ("1.5 × 10^3", "1500"),
        ("1.5 million", "1500000"),
        ("٤٢", "42"),
        ("\uff14\uff12", "42"),
        ("5 kg", "5"),
        ("5 m2", "5"),
        ("12 km per hour", "12"),
        ("45 %", "45"),
        ("2,007 USD", "2007"),
        ("CHF 12", "12"),
        ("Rs. 500", "500"),
        ("$5 .$", "5"),
        ("$5 kg.$", "5"),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, value: str) -> None:
    read = read_number(text)
    assert read is not None and read.value == Fraction(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "$",
        "a",
        "1.2.3",
        "2024-01-05",
        "1,23,4",
        "5-6",
        "5 or 6",
        "3 4",
        "about 5",
        "5 is wrong",
        "12:30",
        "#5",
        "0x10",
        "1_000",
        "1/0",
    ],
)
def test_what_is_not_plainly_one_number_is_none(text: str) -> None:
    assert read_number(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_none(text: str) -> None:
    read_number(text)
    is_plainly_a_number(text)


@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
def test_separators_and_currency_change_no_value(whole: int, cents: int) -> None:
    expected = Fraction(f"{whole}.{cents:02}")
    english, german = f"{whole:,}.{cents:02}", f"{whole:,}".replace(",", ".") + f",{cents:02}"
    for text in (english, f"${english}", f"{english} USD", german, f"{german} €", english.replace(",", " ")):
        read = read_number(text)
        assert read is not None and read.value == expected


def same(answer: Any, expected: Any, **settings: Any) -> bool:
    rule = NumberRule(**settings)
    given, wanted = number_of(answer, rule.decimal), number_of(expected, rule.decimal)
    assert given is not None and wanted is not None
    return same_number(given, wanted, rule)


def test_a_tolerance_is_exact_in_decimals_and_the_larger_one_holds() -> None:
    assert same(10.01, 10, tolerance=0.01) and not same(10.02, 10, tolerance=0.01)
    assert same(105, 100, relative=0.05) and not same(106, 100, relative=0.05)
    assert same(105, 100, relative=0.05, tolerance=1) and same(0.1, "0.1")


def test_a_single_mark_before_three_digits_is_read_as_the_task_says() -> None:
    assert same("1.234", 1234, decimal=DecimalMark.COMMA) and not same("1.234", 1234)
    assert same("1,234", 1234, decimal=DecimalMark.POINT) and same("1,234", 1.234, decimal=DecimalMark.COMMA)


def test_a_currency_or_unit_counts_where_both_state_one() -> None:
    assert same("$5", "5") and same("5", "$5") and same("5 USD", "$5") and same("5 Hours", "5 hour") and same("5 percent", "5%")
    assert not same("€5", "$5") and not same("5 CAD", "5 USD") and not same("5 g", "5 kg") and not same("5 MW", "5 mW")
    assert not same("5", "$5", units=Units.REQUIRED) and same("$5", "5", units=Units.REQUIRED)
    assert same("5 g", "5 kg", units=Units.IGNORE)


def test_a_percentage_may_be_a_share() -> None:
    assert same("45 %", 0.45, percent=Percent.SHARE) and not same("45 %", 0.45) and same("45 %", 45)


@pytest.mark.parametrize("code", ["007", "0123456789", "1.2.3", "A-12", "1/2", "3 items or 4"])
def test_a_code_is_no_plain_number(code: str) -> None:
    assert not is_plainly_a_number(code)
