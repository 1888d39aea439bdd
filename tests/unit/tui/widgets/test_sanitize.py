"""Text from data does nothing to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.core.plain_text import NON_PRINTING, sanitize
from tuneproof.tui.widgets.sanitize import sanitized_content


@given(st.text(), st.booleans())
def test_no_control_character_remains(text: str, one_line: bool) -> None:
    shown = sanitize(text, one_line=one_line)
    assert all(unicodedata.category(c) not in NON_PRINTING for c in shown if one_line or c != "\n")


@given(st.text())
def test_markup_is_shown_as_text(text: str) -> None:
    assert sanitized_content(f"[@click=app.exit]{text}[/]", "bold").plain == sanitize(f"[@click=app.exit]{text}[/]")


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x1b[31m", "a␛[31m"), ("\u202eabc", "<202E>abc"), ("a\x00", "a␀"), ("שלום 日本", "שלום 日本")]
)
def test_a_hidden_character_becomes_a_visible_sign(text: str, shown: str) -> None:
    assert sanitize(text) == shown


@given(st.text(st.characters(codec="ascii", exclude_characters="\t")), st.integers(1, 20))
def test_a_cut_text_ends_with_an_ellipsis(text: str, max_length: int) -> None:
    shown = sanitize(text, one_line=True, max_length=max_length)
    assert len(shown) == min(len(text), max_length) and shown.endswith("…") == (len(text) > max_length)
