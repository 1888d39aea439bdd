"""What keeps rows together: a field, a field of an object, the first turns of a conversation, or the file."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.groups import group_of
from tuneproof.engine.data.split import Part, split


def row(
    line: int, text: str = "a question of its own", file: str = "rows.jsonl", history: tuple[str, ...] = (), **metadata: object
) -> Example:
    turns = tuple(Message("assistant" if at % 2 else "user", said) for at, said in enumerate(history))
    return Example("", f"{text} {line}", f"reply {line}", Source(file, line), history=turns, metadata=metadata)


def test_a_group_is_read_from_a_field_or_from_a_field_of_an_object() -> None:
    assert group_of(row(1, user="ann"), "user") == group_of(row(2, user="ann"), "user") != group_of(row(3, user="bob"), "user")
    assert group_of(row(1, meta={"user": "ann"}), "meta.user") == group_of(row(2, user="ann"), "user")
    assert group_of(row(1, user=0), "user") is not None


@pytest.mark.parametrize("missing", [None, "", "unknown", "N/A"])
def test_rows_without_a_value_do_not_belong_together(missing: object) -> None:
    assert group_of(row(1, user=missing), "user") is None and group_of(row(1), "user") is None
    rows = [row(line, user=missing if line % 2 else f"user {line // 4}") for line in range(200)]
    parts = split(rows, SplitShares(group_by="user"))
    alone = [part for part in Part if any(each.metadata["user"] == missing for each in parts[part])]
    assert alone == list(Part)


def test_a_conversation_has_the_group_of_its_first_turns_past_a_greeting() -> None:
    begun = row(1, "where is the parcel that I ordered")
    later = row(2, "and when does it arrive", history=(begun.input, begun.output))
    assert group_of(begun, "first_turns") == group_of(later, "first_turns")
    one = row(3, "thanks", history=("hi", "hello!", "where is my parcel from Cork", "on its way"))
    other = row(4, "thanks", history=("hi", "hello!", "where is my parcel from Lagos", "on its way"))
    assert group_of(one, "first_turns") != group_of(other, "first_turns")


def test_first_turns_in_a_script_without_spaces_are_more_than_a_greeting() -> None:
    begun = row(1, "我想订一张去上海的票")
    later = row(2, "几点", history=(begun.input, begun.output))
    assert group_of(begun, "first_turns") == group_of(later, "first_turns")


def test_rows_of_a_file_stay_together_and_a_field_of_that_name_has_precedence() -> None:
    assert group_of(row(1, file="a.jsonl"), "file") == group_of(row(2, file="a.jsonl"), "file") != group_of(row(1, file="b.jsonl"), "file")
    recorded = Example("", "i", "o", Source("a.jsonl", 1), metadata={"file": "x.wav"})
    assert group_of(recorded, "file") == 'group "x.wav"'


def test_a_name_that_no_row_has_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(DataRefused, match="no row has `speaker`") as refused:
        split([row(line, user=f"u{line}") for line in range(9)], SplitShares(group_by="speaker"))
    assert refused.value.fix == "name a field of the rows (user), first_turns or file"
