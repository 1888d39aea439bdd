"""Bars and percentages do not mislead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.run.event import Rate
from tuneproof.tui.text_bar import bar
from tuneproof.tui.widgets.ascii import in_ascii
from tuneproof.tui.widgets.bars import percent, rate_bar, spark

SHARES = st.floats(0, 1)


@given(SHARES, st.integers(1, 60))
def test_a_bar_has_the_requested_width(share: float, width: int) -> None:
    assert len(bar(share, width)) == width


@given(SHARES, SHARES, st.integers(1, 60))
def test_a_larger_share_never_has_a_shorter_bar(one: float, other: float, width: int) -> None:
    low, high = (bar(share, width).rstrip("░") for share in sorted((one, other)))
    assert len(low) <= len(high) and set(high[:-1]) <= {"█"}


@pytest.mark.parametrize(("share", "drawn"), [(-1.0, "░░░░"), (0.0, "░░░░"), (0.5, "██░░"), (0.53, "██▏░"), (1.0, "████"), (7.0, "████")])
def test_a_bar_ends_at_its_share(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


@given(SHARES)
def test_0_and_100_percent_are_only_shown_for_none_and_all(share: float) -> None:
    assert (percent(share) == "  0 %") == (share == 0) and (percent(share) == "100 %") == (share == 1)


@given(SHARES)
def test_a_percentage_is_off_by_at_most_one_point(share: float) -> None:
    assert abs(int(percent(share).removesuffix(" %")) - 100 * share) <= 1


def test_a_sparkline_has_a_scale_from_0_to_1() -> None:
    assert spark([0.0, 0.5, 1.0]) == "▁▅█"


@given(st.tuples(SHARES, SHARES, SHARES).map(sorted), st.integers(1, 60), st.none() | SHARES)
def test_a_rate_has_its_interval_and_its_target_on_a_bar_of_the_requested_width(
    ends: list[float], width: int, target: float | None
) -> None:
    low, rate, high = ends
    drawn = rate_bar(Rate(rate=rate, low=low, high=high), width, target).plain
    assert len(drawn) == len(in_ascii(drawn)) == width
    assert ("┃" in drawn) == (target is not None)
    order = [" ━╍─·".index(sign) for sign in drawn if sign != "┃"]
    assert order == sorted(order)
    assert abs(sum(sign in "━╍" for sign in drawn) - rate * width) <= 1.5


def test_a_bar_tells_what_is_sure_from_what_may_be_luck_without_colour() -> None:
    rate = Rate(rate=0.6, low=0.4, high=0.75)
    assert rate_bar(rate, 20, 0.9).plain == "━━━━━━━━╍╍╍╍───···┃·"
    assert in_ascii(rate_bar(rate, 20, 0.9).plain).isascii()
