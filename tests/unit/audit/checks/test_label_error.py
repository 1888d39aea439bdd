"""Flipped labels are found, and nothing is reported if words do not determine the label."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.label_rows import TOPICS, table, topic_rows
from tuneproof.engine.audit.checks.imbalance import uneven_labels
from tuneproof.engine.audit.checks.label_error import probable_label_errors
from tuneproof.engine.audit.checks.rare_label import rare_labels
from tuneproof.engine.audit.checks.unseen_label import unseen_labels
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_flipped_labels_are_found_with_the_label_of_similar_rows(seed: int, flips: int) -> None:
    rng = random.Random(seed)
    rows = topic_rows(rng)
    flipped = {rows[at].source: rows[at].output for at in rng.sample(range(len(rows)), flips)}
    wrong = [replace(e, output=rng.choice([name for name in TOPICS if name != e.output])) if e.source in flipped else e for e in rows]
    found = [row for finding in probable_label_errors(Table(Rows(wrong), Rows(), [])) for row in finding.rows]
    assert {row.at for row in found} == flipped.keys()
    assert all(row.note.endswith(f"labelled `{flipped[row.at]}`") and row.of not in flipped for row in found)


def test_nothing_is_reported_if_words_do_not_determine_the_label() -> None:
    rng = random.Random(1)
    shuffled = [replace(e, output=rng.choice(["even", "odd"])) for e in topic_rows(rng)]
    mostly = [replace(e, output="rare" if rng.random() < 0.05 else "usual") for e in topic_rows(rng)]
    for rows in (shuffled, mostly):
        assert list(probable_label_errors(Table(Rows(rows), Rows(), []))) == []


def test_texts_have_no_labels_to_check() -> None:
    free = table([f"an answer in words, number {i}" for i in range(200)], ["another answer"])
    for find in (rare_labels, uneven_labels, unseen_labels, probable_label_errors):
        assert list(find(free)) == []
