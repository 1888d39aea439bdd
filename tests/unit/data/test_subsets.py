"""Shares of train are nested, depend only on seed and content, and keep groups whole."""

from __future__ import annotations

import pytest

from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.subsets import missing_labels, nested_subsets


def rows(count: int, speakers: int | None = None) -> list[Example]:
    metadata = [{} if speakers is None else {"speaker": i % speakers} for i in range(count)]
    return [Example("", f"question {i}", f"answer {i}", Source("rows.jsonl", i), metadata=metadata[i]) for i in range(count)]


@pytest.mark.parametrize(("count", "sizes"), [(94, {25: 24, 50: 47}), (1000, {25: 250, 50: 500}), (10, {25: 3, 50: 5}), (3, {}), (1, {})])
def test_the_smaller_share_is_part_of_the_larger_one_and_depends_only_on_seed_and_content(count: int, sizes: dict[int, int]) -> None:
    train = rows(count)
    subsets = nested_subsets(train, seed=0)
    assert {share: len(found) for share, found in subsets.items()} == sizes
    if sizes:
        quarter, half = ({row.input for row in subsets[share]} for share in (25, 50))
        assert quarter < half < {row.input for row in train}
        reversed_order = nested_subsets(train[::-1], seed=0)
        assert {row.input for row in reversed_order[25]} == quarter and {row.input for row in reversed_order[50]} == half
        assert {row.input for row in nested_subsets(train, seed=1)[50]} != half or count < 20


def test_groups_stay_whole_and_a_share_is_left_out_if_they_are_too_large() -> None:
    subsets = nested_subsets(rows(200, speakers=40), seed=0, group_by="speaker")
    quarter, half = ({row.metadata["speaker"] for row in subsets[share]} for share in (25, 50))
    assert (len(quarter), len(half)) == (10, 20) and quarter < half
    assert len(subsets[25]) == 50 and len(subsets[50]) == 100
    assert nested_subsets(rows(90, speakers=3), seed=0, group_by="speaker") == {}
    assert nested_subsets(rows(90, speakers=2), seed=0, group_by="speaker").keys() == {50}


def test_the_labels_that_a_share_does_not_have_are_listed() -> None:
    train = [Example("", str(i), label, Source("rows.jsonl", i)) for i, label in enumerate(["yes", "no ", "maybe", "no", "yes"])]
    assert missing_labels(train[:1], train) == ["maybe", "no"] and missing_labels(train[1:], train) == []
