"""Text that many rows share is removed before rows are compared, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.near.brute_force import brute_force
from tuneproof.engine.audit.near import boilerplate
from tuneproof.engine.audit.near.boilerplate import Position, sampled_rows, without_boilerplate
from tuneproof.engine.audit.near.clusters import near_rows
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.data.example import norm


def test_a_shared_preamble_is_removed_and_reported() -> None:
    random = np.random.default_rng(3)
    preambles = [f"You are helper {name}, and you answer in one short sentence. Be kind to the reader." for name in "abcde"]
    tasks = [" ".join(random.choice([*"klmnopqrstuvwxyz"], 6)) for _ in range(200)]
    rows = [f"{preambles[at % 5]}\n{task}\nAnswer:" for at, task in enumerate(tasks)]
    left = without_boilerplate(rows)
    assert list(left.texts) == tasks
    assert {(each.position, each.text, each.rows) for each in left.boilerplate} == {
        (Position.LINE, "Answer:", 200),
        *((Position.LINE, preamble, 40) for preamble in preambles),
    }
    assert near_rows(left.texts, Shingle.W3).pair_count() == len(brute_force(tasks, Shingle.W3, 0.8))


def test_a_preamble_and_an_ending_on_the_same_line_are_removed() -> None:
    start, end = "Tell in one word which label fits the text that follows here:", "and now say the label and nothing but that label."
    tasks = [f"number {at} goes to {at * 7919 % 1000}" for at in range(100)]
    left = without_boilerplate([f"{start} {task} {end}" for task in tasks[:60]] + tasks[60:])
    assert list(left.texts) == [task.removeprefix("number ") if at < 60 else task for at, task in enumerate(tasks)]
    assert [(each.position, each.rows) for each in left.boilerplate] == [(Position.START, 60), (Position.END, 60)]


def test_what_few_rows_share_stays() -> None:
    rows = [f"an opening that is shared by only a few of all {at}\nand a line" for at in range(19)] + [f"row {at}" for at in range(300)]
    assert list(without_boilerplate(rows).texts) == [norm(row) for row in rows]


def test_rows_that_are_nothing_but_boilerplate_keep_their_text() -> None:
    tasks = [f"task {at}" for at in range(50)]
    left = without_boilerplate([*(f"Shared line\nlast line\n{task}" for task in tasks), "Shared line\nlast line"])
    assert list(left.texts) == [*tasks, "shared line last line"]


def test_equal_rows_are_no_boilerplate() -> None:
    rows = ["two lines\nof one row"] * 50 + ["one text of more than eight words that many rows have"] * 50
    left = without_boilerplate(rows)
    assert list(left.texts) == [norm(row) for row in rows] and left.boilerplate == []


@given(st.lists(st.text(st.sampled_from("ab \n"), max_size=30), max_size=60))
def test_removing_boilerplate_leaves_no_row_without_text(rows: list[str]) -> None:
    for row, text in zip(rows, without_boilerplate(rows).texts, strict=True):
        assert bool(text) == bool(norm(row))
        assert set(text.split()) <= set(norm(row).split())


@given(st.lists(st.text("ab", max_size=4), max_size=60), st.integers(0, 60), st.integers(1, 20))
def test_the_rows_that_decide_on_boilerplate_are_the_same_however_rows_are_divided(rows: list[str], cut: int, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boilerplate, "MOST_SAMPLED", most)
        whole = list(sampled_rows(rows))
        parts = [list(sampled_rows(part)) for part in (rows[:cut], rows[cut:])]
        assert list(sampled_rows([*parts[0], *parts[1]])) == whole
        assert len(whole) == min(most, len(set(rows)))
