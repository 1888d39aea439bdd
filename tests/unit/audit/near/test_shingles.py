"""Sets of shingles are those of the definition, also as digests."""

from __future__ import annotations

from itertools import chain, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.near.brute_force import brute_force, row_pairs, rows, shingle, shingles_of
from tuneproof.engine.audit import words
from tuneproof.engine.audit.near import shingles
from tuneproof.engine.audit.near.clusters import near_rows
from tuneproof.engine.audit.near.hashes import shingle_hashes, sorted_sets
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.near.shingles import shingle_sets
from tuneproof.engine.audit.words import word_hashes
from tuneproof.engine.data.spaceless import words_of


@given(rows, shingle)
def test_sets_are_those_of_the_definition(texts: list[str], shingle: Shingle) -> None:
    sets = shingle_sets(texts, shingle)
    ours = [sets.shingles[begin:end].tolist() for begin, end in zip(sets.starts[:-1], sets.starts[1:], strict=True)]
    theirs = [shingles_of(text, shingle) for text in texts]
    assert ours == [sorted(set(tokens)) for tokens in ours]
    for i, j in product(range(len(texts)), repeat=2):
        assert len(set(ours[i]) & set(ours[j])) == len(theirs[i] & theirs[j])


@pytest.mark.parametrize("shingle", Shingle)
def test_numbers_too_large_for_one_key_change_nothing(shingle: Shingle, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["the quick brown fox jumps", "the quick brown fox jumped", "a b", "", "the the the the the"]
    before = shingle_sets(texts, shingle)
    monkeypatch.setattr(shingles, "LARGEST_KEY", 100)
    after = shingle_sets(texts, shingle)
    assert before.sizes.tolist() == after.sizes.tolist()
    assert row_pairs(near_rows(texts, shingle, 0.3)) == brute_force(texts, shingle, 0.3)


@given(texts=st.lists(st.text(st.sampled_from("ab é😀 _-"), max_size=20), max_size=12), shingle=shingle, block=st.integers(1, 30))
def test_hashes_are_equal_exactly_if_the_shingles_are(texts: list[str], shingle: Shingle, block: int) -> None:
    sets = shingle_sets(texts, shingle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "BLOCK_CHARACTERS", block)
        found, sizes = sorted_sets(*shingle_hashes(texts, shingle))
    assert sizes.tolist() == sets.sizes.tolist()
    rows = np.repeat(np.arange(len(texts)), sizes)
    alike = dict(zip(zip(rows.tolist(), found.tolist(), strict=True), range(len(found)), strict=True))
    assert len(alike) == len(found) and len(set(found.tolist())) == len(set(sets.shingles.tolist()))
    assert sorted(sorted_sets(*shingle_hashes(texts[::-1], shingle))[0].tolist()) == sorted(found.tolist())


@given(st.lists(st.text(max_size=30) | st.text(st.sampled_from("ab 日本語สวัี!_ हिी"), max_size=30), max_size=8), st.integers(1, 40))
def test_words_are_those_of_the_definition(texts: list[str], block: int) -> None:
    expected = [words_of(text) for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "BLOCK_CHARACTERS", block)
        found, lengths = word_hashes(texts)
    assert lengths.tolist() == list(map(len, expected))
    pairs = set(zip(chain.from_iterable(expected), found.tolist(), strict=True))
    assert len(pairs) == len({word for word, _ in pairs}) == len({number for _, number in pairs})
