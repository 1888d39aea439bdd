"""A split depends only on seed and content, and keeps duplicates and groups together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.example import Example, Source, duplicate_key
from tuneproof.engine.data.split import Part, SplitParts, split

WORDS = st.text("abcdefgh .,!", min_size=1, max_size=6).filter(lambda t: t.strip(" ") != "")


def example(text: str, line: int, output: str = "x", group: str | None = None) -> Example:
    return Example("", text, output, Source("rows.jsonl", line), metadata={} if group is None else {"group": group})


def rows(texts: list[str], groups: list[str] | None = None) -> list[Example]:
    return [example(text, i, group=groups[i] if groups else None) for i, text in enumerate(texts)]


def places(parts: SplitParts) -> dict[Source, Part]:
    return {e.source: part for part in Part for e in parts[part]}


MANY = [f"text {i}" for i in range(400)]


@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_order_of_the_file_does_not_matter(rng: random.Random, seed: int) -> None:
    examples = rows(MANY)
    shuffled = examples.copy()
    rng.shuffle(shuffled)
    assert split(examples, SplitShares(seed=seed)) == split(shuffled, SplitShares(seed=seed))


@given(st.lists(WORDS, max_size=30))
def test_new_rows_do_not_move_other_rows(added: list[str]) -> None:
    before = places(split(rows(MANY), SplitShares()))
    after = places(split([*rows(MANY), *(example(text, 1000 + i) for i, text in enumerate(added))], SplitShares()))
    assert before.items() <= after.items()


@given(st.lists(st.tuples(WORDS, st.sampled_from("pqrst")), max_size=30))
def test_with_groups_new_rows_do_not_move_others_and_parts_share_neither_groups_nor_duplicates(added: list[tuple[str, str]]) -> None:
    shares = SplitShares(group_by="group")
    groups = [f"group {i % 80}" for i in range(len(MANY))]
    new = [example(text, 1000 + i, group=group) for i, (text, group) in enumerate(added)]
    before, after = places(split(rows(MANY, groups), shares)), split([*rows(MANY, groups), *new], shares)
    assert before.items() <= places(after).items()
    for key in (duplicate_key, lambda e: e.metadata["group"]):
        keys = [{key(e) for e in after[part]} for part in Part]
        assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]


@given(st.lists(WORDS, min_size=1, max_size=60))
def test_duplicates_are_in_the_same_part(texts: list[str]) -> None:
    parts = split(rows([*texts, *(t.upper() for t in texts), *MANY]), SplitShares())
    keys = [{duplicate_key(e) for e in parts[part]} for part in Part]
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]


def test_each_part_has_its_share_of_the_rows_and_of_each_label() -> None:
    examples = [example(f"row {i}", i, output=f"label {i % 5}") for i in range(5000)]
    parts = split(examples, SplitShares(train=0.6, validation=0.15, eval=0.25))
    for part, share in zip(Part, (0.6, 0.15, 0.25), strict=True):
        assert len(parts[part]) == pytest.approx(5000 * share, rel=0.08)
        for label in range(5):
            assert sum(e.output == f"label {label}" for e in parts[part]) == pytest.approx(1000 * share, rel=0.2)


def test_with_a_separate_eval_set_train_and_validation_divide_the_examples() -> None:
    scored = [example(f"eval {i}", i) for i in range(50)]
    parts = split(rows(MANY), SplitShares(train=0.8, validation=0.2, eval=0.0), scored)
    assert len(parts.eval) == 50 and len(parts.train) + len(parts.validation) == 400
    assert len(parts.validation) == pytest.approx(80, abs=25)


def test_another_seed_gives_another_split() -> None:
    assert places(split(rows(MANY), SplitShares(seed=0))) != places(split(rows(MANY), SplitShares(seed=1)))


def test_an_empty_part_and_a_missing_group_field_are_refused() -> None:
    with pytest.raises(DataRefused, match="eval part is empty"):
        split(rows(MANY), SplitShares(train=0.9, validation=0.1, eval=0.0))
    with pytest.raises(DataRefused, match="`speaker`"):
        split(rows(MANY), SplitShares(group_by="speaker"))
