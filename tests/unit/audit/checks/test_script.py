"""Rows in another script than the rest are found, unless several scripts are intended."""

# Characters that look like others are what is tested here.
# ruff: noqa: RUF001

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import clean, example, lines

OTHER_SCRIPTS = [
    "Какая из гаваней на севере была построена первой?",
    "北部的哪个港口最先建成，花了多长时间才完成建设？" * 2,
    "Ποιο από τα λιμάνια του βορρά χτίστηκε πρώτο;",
]


@settings(max_examples=40, deadline=None)
@given(at=st.sets(st.integers(1, 60), max_size=6), field=st.sampled_from(["input", "output"]))
def test_planted_rows_in_another_script_are_found_and_nothing_else(at: set[int], field: str) -> None:
    rows = [clean(line) for line in range(1, 61)]
    for line in at:
        e = rows[line - 1]
        text = OTHER_SCRIPTS[line % len(OTHER_SCRIPTS)]
        rows[line - 1] = example(line, text, e.output) if field == "input" else example(line, e.input, text)
    assert lines("script", rows) == sorted(at)


def test_rows_in_several_scripts_on_purpose_are_not_reported() -> None:
    rows = [clean(line) for line in range(1, 41)]
    rows += [example(line, "Какая из гаваней на севере была построена первой?", "Первая") for line in range(41, 61)]
    assert lines("script", rows) == []
    assert (
        lines("script", [example(e.source.line, e.input, "Первая гавань на севере, построена в давние времена") for e in rows[:40]]) == []
    )
