"""The near-duplicate join gives what comparing every pair gives, and says of rows what the pairs say."""

from __future__ import annotations

import re
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.audit.near import join as near_join
from tuneproof.engine.audit.near import shingles
from tuneproof.engine.audit.near.boilerplate import Position, WithoutBoilerplate, without_boilerplate
from tuneproof.engine.audit.near.clusters import NearRows, near_rows
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.near.shingles import shingle_sets
from tuneproof.engine.data.example import norm

THRESHOLDS = (0.3, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1.0)
words = st.sampled_from(["a", "b", "c", "naïve", "日本", "x_1", "!", "🍕", "-"])
spoken = st.lists(words, max_size=9).map(" ".join)
written = st.text(st.sampled_from("ab é\U0001f355\ud83c?"), max_size=14)
rows = st.lists(spoken | written, max_size=14).map(lambda texts: [norm(text) for text in texts])
shingle = st.sampled_from(Shingle)
threshold = st.sampled_from(THRESHOLDS)


def runs(text: str, shingle: Shingle) -> set[object]:
    """The definition, word for word."""
    parts = (re.findall(r"\w+", text) or [text]) if shingle is Shingle.W3 else text
    width = 3 if shingle is Shingle.W3 else 5
    return {tuple(parts[at : at + width]) for at in range(max(1, len(parts) - width + 1))}


def brute_force(texts: list[str], shingle: Shingle, at_least: float) -> dict[tuple[int, int], float]:
    sets = [runs(text, shingle) for text in texts]
    every = {(i, j): len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in combinations(range(len(texts)), 2)}
    return {pair: jaccard for pair, jaccard in every.items() if jaccard >= at_least}


def row_pairs(near: NearRows) -> dict[tuple[int, int], float]:
    """Every pair of rows, written out."""
    members = [np.flatnonzero(near.set_of == number).tolist() for number in range(int(near.set_of.max(initial=-1)) + 1)]
    pairs = {pair: 1.0 for rows in members for pair in combinations(rows, 2)}
    ends = near.pairs.left.tolist(), near.pairs.right.tolist()
    for left, right, jaccard in zip(*ends, near.pairs.jaccard.tolist(), strict=True):
        pairs |= {(min(pair), max(pair)): jaccard for pair in product(members[left], members[right])}
    return pairs


def clusters(count: int, pairs: dict[tuple[int, int], float]) -> list[int]:
    """The first row of each row's cluster."""
    first = list(range(count))
    for _ in range(count):
        for i, j in pairs:
            first[i] = first[j] = min(first[i], first[j])
    return first


@given(rows, shingle)
def test_sets_are_those_of_the_definition(texts: list[str], shingle: Shingle) -> None:
    sets = shingle_sets(texts, shingle)
    ours = [sets.shingles[begin:end].tolist() for begin, end in zip(sets.starts[:-1], sets.starts[1:], strict=True)]
    theirs = [runs(text, shingle) for text in texts]
    assert ours == [sorted(set(tokens)) for tokens in ours]
    for i, j in product(range(len(texts)), repeat=2):
        assert len(set(ours[i]) & set(ours[j])) == len(theirs[i] & theirs[j])


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


@given(rows, shingle, threshold, st.data())
def test_dropped_rows_leave_one_row_a_cluster(texts: list[str], shingle: Shingle, at_least: float, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(texts)))
    pairs = {pair: jaccard for pair, jaccard in brute_force(texts, shingle, at_least).items() if pair[1] < end}
    first = clusters(end, pairs)
    dropped = near_rows(texts, shingle, at_least).dropped(end)
    assert [(drop.row, drop.kept) for drop in dropped] == [(row, first[row]) for row in range(end) if first[row] != row]
    for drop in dropped:
        of = (min(drop.row, drop.of), max(drop.row, drop.of))
        assert pairs[of] == drop.jaccard
        if (drop.kept, drop.row) in pairs:
            assert drop.of == drop.kept


@given(rows, shingle, threshold, st.data())
def test_each_row_has_the_nearest_of_the_others(texts: list[str], shingle: Shingle, at_least: float, data: st.DataObject) -> None:
    train = data.draw(st.integers(0, len(texts)))
    pairs = brute_force(texts, shingle, at_least)
    near = near_rows(texts, shingle, at_least)
    learned, scored = range(train), range(train, len(texts))
    for ours, others in ((scored, learned), (learned, scored)):
        best = {}
        for row in ours:
            found = [(-pairs[pair], of) for of in others if (pair := (min(row, of), max(row, of))) in pairs]
            if found:
                best[row] = min(found)
        assert {each.row: (-each.jaccard, each.of) for each in near.nearest(ours, others)} == best


@given(rows, shingle, threshold, st.data())
def test_every_set_with_a_near_row_of_another_output_is_told(
    texts: list[str], shingle: Shingle, at_least: float, data: st.DataObject
) -> None:
    outputs = data.draw(st.lists(st.sampled_from("xyz"), min_size=len(texts), max_size=len(texts)))
    pairs = {(i, j): jaccard for (i, j), jaccard in brute_force(texts, shingle, at_least).items() if outputs[i] != outputs[j]}
    near = near_rows(texts, shingle, at_least)
    told = near.conflicts(outputs)
    assert all(pairs[each.of, each.row] == each.jaccard for each in told)
    assert len(told) <= len(texts)
    kinds = {(int(near.set_of[row]), outputs[row]) for each in told for row in (each.row, each.of)}
    assert kinds == {(int(near.set_of[row]), outputs[row]) for pair in pairs for row in pair}


@given(rows, shingle, threshold, st.data())
def test_what_is_left_is_what_the_rows_left_give(texts: list[str], shingle: Shingle, at_least: float, data: st.DataObject) -> None:
    kept = [at for at in range(len(texts)) if data.draw(st.booleans())]
    left, anew = near_rows(texts, shingle, at_least).take(kept), near_rows([texts[at] for at in kept], shingle, at_least)
    assert left.set_of.tolist() == anew.set_of.tolist()
    assert row_pairs(left) == row_pairs(anew)
    assert left.dropped() == anew.dropped()


def test_equal_rows_cost_no_more_than_one() -> None:
    texts = ["how do i reset my password"] * 20_000 + ["how do i reset my password please"]
    near = near_rows(texts, Shingle.W3, 0.8)
    assert len(near.pairs.left) == 1
    assert near.pair_count() == 20_000 * 19_999 // 2 + 20_000
    assert len(near.dropped()) == 20_000
    assert near.nearest(range(20_000, 20_001), range(20_000))[0].of == 0


def test_a_join_that_ends_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_join, "MOST_PAIRS", 100)
    monkeypatch.setattr(near_join, "_BLOCK_CANDIDATES", 50)
    texts = [" ".join(["the same words again and again", *map(str, range(20)), f"row {at}"]) for at in range(60)]
    near = near_rows(texts, Shingle.W3)
    assert not near.pairs.complete
    assert not near.take(range(30)).pairs.complete
    assert 100 < near.pair_count() < 60 * 59 // 2
    assert set(row_pairs(near)) <= set(brute_force(texts, Shingle.W3, 0.8))


def test_a_text_without_words_is_near_to_its_equals_only() -> None:
    near = near_rows([":^(", ":((", "", ":((", ""], Shingle.W3)
    assert set(row_pairs(near)) == {(1, 3), (2, 4)}


@pytest.mark.parametrize("shingle", Shingle)
def test_numbers_too_large_for_one_key_change_nothing(shingle: Shingle, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["the quick brown fox jumps", "the quick brown fox jumped", "a b", "", "the the the the the"]
    before = shingle_sets(texts, shingle)
    monkeypatch.setattr(shingles, "_LARGEST_KEY", 100)
    after = shingle_sets(texts, shingle)
    assert before.sizes.tolist() == after.sizes.tolist()
    assert row_pairs(near_rows(texts, shingle, 0.3)) == brute_force(texts, shingle, 0.3)


@given(rows, shingle, threshold)
def test_small_blocks_and_colliding_fingerprints_change_nothing(texts: list[str], shingle: Shingle, at_least: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles, "_BLOCK_TEXTS", 2)
        patch.setattr(shingles, "_BLOCK_SYMBOLS", 5)
        patch.setattr(shingles, "_PENDING_KEYS", 3)
        patch.setattr(near_join, "_BLOCK_CANDIDATES", 2)
        patch.setattr(near_join, "_BLOCK_TOKENS", 3)
        patch.setattr(shingles, "_fingerprints", lambda sets: sets.sizes.astype(np.uint64) % np.uint64(2))
        assert row_pairs(near_rows(texts, shingle, at_least)) == brute_force(texts, shingle, at_least)


@pytest.mark.parametrize("at_least", [0.0, -1.0, 1.1, float("nan")])
def test_a_threshold_that_means_nothing_is_refused(at_least: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        near_rows(["a"], Shingle.W3, at_least)


def test_a_shared_preamble_is_without_boilerplate_and_told() -> None:
    random = np.random.default_rng(3)
    preambles = [f"You are helper {name}, and you answer in one short sentence. Be kind to the reader." for name in "abcde"]
    tasks = [" ".join(random.choice([*"klmnopqrstuvwxyz"], 6)) for _ in range(200)]
    rows = [f"{preambles[at % 5]}\n{task}\nAnswer:" for at, task in enumerate(tasks)]
    aside = without_boilerplate(rows)
    assert aside.texts == tasks
    assert {(each.position, each.text, each.rows) for each in aside.boilerplate} == {
        (Position.LINE, "Answer:", 200),
        *((Position.LINE, preamble, 40) for preamble in preambles),
    }
    assert near_rows(aside.texts, Shingle.W3).pair_count() == len(brute_force(tasks, Shingle.W3, 0.8))


def test_a_preamble_and_an_ending_on_the_same_line_are_without_boilerplate() -> None:
    start, end = "Tell in one word which label fits the text that follows here:", "and now say the label and nothing but that label."
    tasks = [f"number {at} goes to {at * 7919 % 1000}" for at in range(100)]
    aside = without_boilerplate([f"{start} {task} {end}" for task in tasks[:60]] + tasks[60:])
    assert aside.texts == [task.removeprefix("number ") if at < 60 else task for at, task in enumerate(tasks)]
    assert [(each.position, each.rows) for each in aside.boilerplate] == [(Position.START, 60), (Position.END, 60)]


def test_what_few_rows_share_stays() -> None:
    rows = [f"an opening that is shared by only a few of all {at}\nand a line" for at in range(19)] + [f"row {at}" for at in range(300)]
    assert without_boilerplate(rows).texts == [norm(row) for row in rows]


def test_rows_that_are_nothing_but_boilerplate_keep_their_text() -> None:
    tasks = [f"task {at}" for at in range(50)]
    aside = without_boilerplate([*(f"Shared line\nlast line\n{task}" for task in tasks), "Shared line\nlast line"])
    assert aside.texts == [*tasks, "shared line last line"]


def test_equal_rows_are_no_boilerplate() -> None:
    rows = ["two lines\nof one row"] * 50 + ["one text of more than eight words that many rows have"] * 50
    assert without_boilerplate(rows) == WithoutBoilerplate([norm(row) for row in rows], [])


@given(st.lists(st.text(st.sampled_from("ab \n"), max_size=30), max_size=60))
def test_setting_aside_leaves_no_row_without_text(rows: list[str]) -> None:
    for row, text in zip(rows, without_boilerplate(rows).texts, strict=True):
        assert bool(text) == bool(norm(row))
        assert set(text.split()) <= set(norm(row).split())
