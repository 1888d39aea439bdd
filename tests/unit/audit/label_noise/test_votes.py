"""Neighbours vote for labels, and agreement is measured beyond chance."""

from __future__ import annotations

import random

import pytest

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.label_noise.neighbours import nearest_texts
from tuneproof.engine.audit.label_noise.votes import cohens_kappa, count_votes
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.readers import read_examples


def test_neighbours_share_rare_words_and_a_common_instruction_counts_for_nothing() -> None:
    texts = ["ask: red apple", "ask: green pear", "ask: a red apple", "ask: unlike", "ask:"]
    found = nearest_texts(texts, 2)
    assert found.numbers[:, 0].tolist() == [2, -1, 0, -1, -1]
    assert found.cosines[3].tolist() == [0, 0] and nearest_texts([], 2).numbers.shape == (0, 2)
    votes = count_votes(found, [0, 1, 1, 0, 1], 2)
    assert votes.winner.tolist() == [1, 1, 0, 0, 1] and votes.margin[1] <= 0


def test_kappa_is_zero_at_chance_and_one_when_all_agree() -> None:
    assert cohens_kappa([0, 1, 0, 1], [0, 1, 0, 1]) == 1
    assert cohens_kappa([0] * 4, [0] * 4) == 0
    assert cohens_kappa([0, 0, 1, 1], [0, 1, 0, 1]) == 0


def test_flipped_labels_of_clinc150_are_found_as_often_as_the_published_margin_does() -> None:
    file = REAL_DATA / "clinc150" / "train.jsonl"
    if not file.is_file():
        pytest.skip(f"REAL DATA MISSING: {file}; set TUNEPROOF_REAL_DATA to the folder that has clinc150")
    rows = read_examples(str(file)).examples
    names = sorted({e.output for e in rows})
    rng = random.Random(1)
    flipped = set(rng.sample(range(len(rows)), len(rows) // 20))
    own = [
        names.index(rng.choice([name for name in names if name != e.output]) if at in flipped else e.output) for at, e in enumerate(rows)
    ]
    votes = count_votes(nearest_texts(Rows(rows).norm, 30), own, len(names))
    surest = sorted(range(len(rows)), key=lambda at: -votes.margin[at])[: len(flipped)]
    assert len(flipped.intersection(surest)) / len(flipped) >= 0.76
