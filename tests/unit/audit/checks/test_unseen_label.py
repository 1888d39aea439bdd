"""Eval rows with a label that no training row has are found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.checks.label_rows import lines, table
from tuneproof.engine.audit.checks.unseen_label import unseen_labels


@given(st.lists(st.sampled_from(["joy", "love", "Joy", "new", "joy,new"]), max_size=12))
def test_eval_rows_with_a_label_that_no_training_row_has_are_found(eval_rows: list[str]) -> None:
    train_rows = ["joy", "love", "fear", "joy,love", "joy,fear"] * 6
    assert lines(list(unseen_labels(table(train_rows, eval_rows)))) == [
        i for i, o in enumerate(eval_rows, start=1) if "new" in o or "Joy" in o
    ]
