"""Frequent empty answers are reported, and then they are not placeholders."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import clean, example, lines


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 12), spelled=st.sampled_from(["[]", "{}", "null", "None", " none ", "N/A"]))
def test_frequent_empty_answers_are_reported_and_are_not_placeholders(count: int, spelled: str) -> None:
    rows = [example(e.source.line, e.input, spelled) if e.source.line <= count else e for e in map(clean, range(1, 61))]
    frequent = count >= 3
    assert lines("empty-on-purpose", rows) == (list(range(1, count + 1)) if frequent else [])
    in_words = spelled.strip() not in ("[]", "{}")
    assert lines("placeholder", rows) == ([] if frequent or not in_words else list(range(1, count + 1)))
