"""Rows of labels with few training rows are found."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.checks.label_rows import grader, lines, table
from tuneproof.engine.audit.checks.rare_label import rare_labels


@given(st.dictionaries(st.sampled_from(["fear", "grief", "relief"]), st.integers(1, 4), max_size=3), st.randoms(use_true_random=False))
def test_rows_of_rare_labels_are_found(rare: dict[str, int], order: random.Random) -> None:
    outputs = ["joy"] * 30 + ["love"] * 30 + [label for label, count in rare.items() for _ in range(count)]
    order.shuffle(outputs)
    found = list(rare_labels(table(outputs)))
    assert lines(found) == [i for i, output in enumerate(outputs, start=1) if output in rare]
    assert [f.message.split(" ")[0] for f in found] == ([str(len(rare))] if rare else [])


def test_a_choice_without_any_row_is_rare_and_an_output_that_is_no_choice_is_not_counted() -> None:
    (finding,) = rare_labels(table(["a"] * 9 + ["b"] * 9 + ["typo"], judged=grader(kind="choice", choices=["a", "b", "c"])))
    assert finding.message == "1 label has fewer than 5 training rows: `c` 0" and finding.rows == ()
