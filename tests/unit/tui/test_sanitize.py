"""Text from data does nothing to a terminal, and bars do not lie."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.tui.widgets.bars import bar, percent, spark
from tuneproof.tui.widgets.sanitize import NON_PRINTING, sanitize, sanitized_content


@given(st.text(), st.booleans())
def test_nothing_that_a_terminal_obeys_is_left(text: str, one_line: bool) -> None:
    shown = sanitize(text, one_line=one_line)
    assert all(unicodedata.category(c) not in NON_PRINTING for c in shown if one_line or c != "\n")


@given(st.text())
def test_markup_is_text(text: str) -> None:
    assert sanitized_content(f"[@click=app.exit]{text}[/]", "bold").plain == sanitize(f"[@click=app.exit]{text}[/]")


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x1b[31m", "a␛[31m"), ("\u202eabc", "<202E>abc"), ("a\x00", "a␀"), ("שלום 日本", "שלום 日本")]
)
def test_what_is_hidden_becomes_a_sign(text: str, shown: str) -> None:
    assert sanitize(text) == shown


@given(st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_as_wide_as_it_was_asked_to_be(share: float, width: int) -> None:
    assert len(bar(share, width)) == width


@given(st.floats(0, 1))
def test_none_and_all_are_only_said_of_none_and_all(share: float) -> None:
    assert (percent(share) == "  0 %") == (share == 0) and (percent(share) == "100 %") == (share == 1)


def test_a_spark_goes_from_none_to_all() -> None:
    assert spark([0.0, 0.5, 1.0]) == "▁▅█"


@given(st.floats(0, 1))
def test_a_percentage_is_at_most_a_point_off(share: float) -> None:
    assert abs(int(percent(share).removesuffix(" %")) - 100 * share) <= 1


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60))
def test_a_larger_share_is_never_a_shorter_bar(one: float, other: float, width: int) -> None:
    low, high = (bar(share, width).rstrip("░") for share in sorted((one, other)))
    assert len(low) <= len(high) and set(high[:-1]) <= {"█"}


@pytest.mark.parametrize(("share", "drawn"), [(-1.0, "░░░░"), (0.0, "░░░░"), (0.5, "██░░"), (0.53, "██▏░"), (1.0, "████"), (7.0, "████")])
def test_a_bar_ends_where_the_share_does(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


@given(st.text(st.characters(codec="ascii", exclude_characters="\t")), st.integers(1, 20))
def test_a_text_that_is_cut_says_so(text: str, most: int) -> None:
    shown = sanitize(text, one_line=True, max_length=most)
    assert len(shown) == min(len(text), most) and shown.endswith("…") == (len(text) > most)
