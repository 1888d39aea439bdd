"""Near rows, rows to drop and conflicts follow from the near pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.near.brute_force import brute_force, row_pairs, rows, shingle, threshold
from tuneproof.engine.audit.near.clusters import near_rows
from tuneproof.engine.audit.near.settings import Shingle


def clusters(count: int, pairs: dict[tuple[int, int], float]) -> list[int]:
    """The first row of each row's cluster."""
    first = list(range(count))
    for _ in range(count):
        for i, j in pairs:
            first[i] = first[j] = min(first[i], first[j])
    return first


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
    train_rows, eval_rows = range(train), range(train, len(texts))
    for ours, others in ((eval_rows, train_rows), (train_rows, eval_rows)):
        best = {}
        for row in ours:
            found = [(-pairs[pair], of) for of in others if (pair := (min(row, of), max(row, of))) in pairs]
            if found:
                best[row] = min(found)
        assert {each.row: (-each.jaccard, each.of) for each in near.nearest(ours, others)} == best


@given(rows, shingle, threshold, st.data())
def test_every_set_with_a_near_row_of_another_output_is_reported(
    texts: list[str], shingle: Shingle, at_least: float, data: st.DataObject
) -> None:
    outputs = data.draw(st.lists(st.sampled_from("xyz"), min_size=len(texts), max_size=len(texts)))
    pairs = {(i, j): jaccard for (i, j), jaccard in brute_force(texts, shingle, at_least).items() if outputs[i] != outputs[j]}
    near = near_rows(texts, shingle, at_least)
    conflicts = near.conflicts(outputs)
    assert all(pairs[each.of, each.row] == each.jaccard for each in conflicts)
    assert len(conflicts) <= len(texts)
    kinds = {(int(near.set_of[row]), outputs[row]) for each in conflicts for row in (each.row, each.of)}
    assert kinds == {(int(near.set_of[row]), outputs[row]) for pair in pairs for row in pair}


@given(rows, shingle, threshold, st.data())
def test_taking_rows_away_gives_the_join_of_the_others(texts: list[str], shingle: Shingle, at_least: float, data: st.DataObject) -> None:
    kept = [at for at in range(len(texts)) if data.draw(st.booleans())]
    left, joined_again = near_rows(texts, shingle, at_least).take(kept), near_rows([texts[at] for at in kept], shingle, at_least)
    assert left.set_of.tolist() == joined_again.set_of.tolist()
    assert row_pairs(left) == row_pairs(joined_again)
    assert left.dropped() == joined_again.dropped()


def test_equal_rows_cost_no_more_than_one() -> None:
    texts = ["how do i reset my password"] * 20_000 + ["how do i reset my password please"]
    near = near_rows(texts, Shingle.W3, 0.8)
    assert len(near.pairs.left) == 1
    assert near.pair_count() == 20_000 * 19_999 // 2 + 20_000
    assert len(near.dropped()) == 20_000
    assert near.nearest(range(20_000, 20_001), range(20_000))[0].of == 0


def test_a_text_without_words_is_near_to_its_equals_only() -> None:
    near = near_rows([":^(", ":((", "", ":((", ""], Shingle.W3)
    assert set(row_pairs(near)) == {(1, 3), (2, 4)}
