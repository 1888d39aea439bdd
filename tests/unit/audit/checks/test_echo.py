"""Outputs that repeat the input are found, and labels are not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import Edit, clean, example, lines


@settings(max_examples=40, deadline=None)
@given(
    at=st.sets(st.integers(1, 60), max_size=8),
    edit=st.sampled_from([str, lambda text: f" {text}\n", lambda text: text.replace(" ", "  ")]),
)
def test_planted_echoes_are_found_and_nothing_else(at: set[int], edit: Edit) -> None:
    rows = [clean(line) for line in range(1, 61)]
    rows = [example(e.source.line, e.input, edit(e.input)) if e.source.line in at else e for e in rows]
    assert lines("echo", rows) == sorted(at)


def test_a_label_that_someone_typed_is_no_echo() -> None:
    rows = [example(1, "yes", "yes"), example(2, "sure thing", "yes"), example(3, "Bonjour.", "Bonjour."), example(4, " ", " ")]
    assert lines("echo", rows) == [3]


def test_an_output_that_only_changes_the_case_is_an_answer() -> None:
    assert lines("echo", [example(1, "ann lives in oslo.", "Ann lives in Oslo."), example(2, "paris", "PARIS")]) == []
