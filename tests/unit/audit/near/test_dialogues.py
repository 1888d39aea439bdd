"""Turns of one dialogue are no near duplicates of one another, and a leak between parts all the same."""

from __future__ import annotations

import pytest

from tuneproof.engine.audit.near.dialogues import continues
from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.example import Example, Message, Source

SAID = [
    (f"what should I do with step {n} of the long plan that we made", f"take part {n} of the plan and check it with care twice")
    for n in range(12)
]


def turns(file: str = "rows.jsonl", window: int = 99, first: int = 8) -> list[Example]:
    """The later turns of one dialogue, each with up to so many exchanges before it."""
    found = []
    for at in range(first, len(SAID)):
        before = [turn for asked, said in SAID[max(0, at - window) : at] for turn in (Message("user", asked), Message("assistant", said))]
        found.append(Example("", SAID[at][0], SAID[at][1], Source(file, at), history=tuple(before)))
    return found


@pytest.mark.parametrize("window", [99, 8])
def test_turns_of_one_dialogue_are_no_near_duplicates(window: int) -> None:
    near = join_rows(Rows(turns(window=window)), Rows())
    assert near.dropped == [] and near.pairs() == 0


def test_a_copy_of_a_dialogue_with_one_word_changed_is_a_near_duplicate() -> None:
    one = turns(first=11)[0]
    copy = Example("", one.input + " today", one.output, Source("rows.jsonl", 99), history=one.history)
    assert [found.row for found in join_rows(Rows([one, copy]), Rows()).dropped] == [1]


def test_turns_of_one_dialogue_in_train_and_eval_are_near() -> None:
    *given, last = turns()
    assert join_rows(Rows(given), Rows([last])).examples_near_eval()


def test_a_turn_continues_what_its_history_has() -> None:
    first, second, *_ = turns()
    edited = Example("", first.input, "another answer", first.source, history=first.history)
    other = Example("", "something else", "yes", first.source)
    assert continues(second, first) and continues(second, edited)
    assert not continues(first, second) and not continues(second, other) and not continues(other, first)
