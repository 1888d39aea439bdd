"""The near-duplicate join finds the pairs that comparing every pair finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.unit.audit.near.brute_force import brute_force, row_pairs, rows, shingle, threshold
from tuneproof.engine.audit import words
from tuneproof.engine.audit.near import exact_sets, join, sketches
from tuneproof.engine.audit.near.clusters import near_rows
from tuneproof.engine.audit.near.settings import Shingle


@settings(max_examples=300)
@given(rows, shingle, threshold)
def test_pairs_are_those_of_comparing_every_pair(texts: list[str], shingle: Shingle, at_least: float) -> None:
    near = near_rows(texts, shingle, at_least)
    assert near.pairs.complete
    expected = brute_force(texts, shingle, at_least)
    assert row_pairs(near) == expected
    for end in range(len(texts) + 1):
        assert near.pair_count(end) == sum(j < end for _, j in expected)


@pytest.mark.parametrize("shingle", Shingle)
@pytest.mark.parametrize("at_least", [0.5, 0.8])
def test_pairs_of_longer_rows_are_those_of_comparing_every_pair(shingle: Shingle, at_least: float) -> None:
    random = np.random.default_rng(7)
    texts = []
    for _ in range(12):
        whole = random.choice(["red", "blue", "green", "seven", "tree", "of", "the"], random.integers(3, 160)).tolist()
        for edits in range(12):
            edited = list(whole)
            for at in random.integers(0, len(whole), edits // 2):
                edited[at] = "new"
            texts.append(" ".join(edited))
    assert row_pairs(near_rows(texts, shingle, at_least)) == brute_force(texts, shingle, at_least)


def test_a_join_that_stops_at_its_limit_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "MOST_PAIRS", 100)
    monkeypatch.setattr(join, "BLOCK_CANDIDATES", 50)
    texts = [" ".join(["the same words again and again", *map(str, range(20)), f"row {at}"]) for at in range(60)]
    near = near_rows(texts, Shingle.W3)
    assert not near.pairs.complete
    assert not near.take(range(30)).pairs.complete
    assert 100 < near.pair_count() < 60 * 59 // 2
    assert set(row_pairs(near)) <= set(brute_force(texts, Shingle.W3, 0.8))


@given(rows, shingle, threshold)
def test_small_blocks_and_colliding_fingerprints_change_nothing(texts: list[str], shingle: Shingle, at_least: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "BLOCK_TEXTS", 2)
        patch.setattr(words, "BLOCK_CHARACTERS", 5)
        patch.setattr(join, "BLOCK_POSTINGS", 3)
        patch.setattr(join, "BLOCK_CANDIDATES", 2)
        patch.setattr(exact_sets, "BLOCK_SHINGLES", 3)
        patch.setattr(sketches, "mixed", lambda keys: keys % np.uint64(2))
        assert row_pairs(near_rows(texts, shingle, at_least)) == brute_force(texts, shingle, at_least)


@pytest.mark.parametrize("at_least", [0.0, -1.0, 1.1, float("nan")])
def test_an_impossible_threshold_is_refused(at_least: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        near_rows(["a"], Shingle.W3, at_least)
