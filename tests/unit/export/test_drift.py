"""The first token that differs is found wherever it stands, also where one prompt ends before the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.engine.export.drift import AFTER, BEFORE, first_drift


def decode(ids: Sequence[int]) -> str:
    return " ".join(map(str, ids))


@pytest.mark.parametrize(
    ("measured", "served", "at", "tokens"),
    [
        ([1, 2, 3], [1, 9, 3], 1, (2, 9)),
        ([1, 2, 3], [9, 1, 2, 3], 0, (1, 9)),
        ([1, 2, 3], [1, 2], 2, (3, None)),
        ([1, 2], [1, 2, 3], 2, (None, 3)),
        ([], [1], 0, (None, 1)),
    ],
)
def test_the_first_difference(measured: list[int], served: list[int], at: int, tokens: tuple[int | None, int | None]) -> None:
    found = first_drift("7", measured, served, decode)
    assert found is not None
    assert (found.case, found.at, found.measured_token, found.served_token) == ("7", at, *tokens)


def test_equal_prompts_have_none() -> None:
    assert first_drift("7", [1, 2, 3], [1, 2, 3], decode) is None


def test_a_few_tokens_around_it_are_shown() -> None:
    one = list(range(100))
    found = first_drift("7", one, [*one[:50], 777, *one[51:]], decode)
    assert found is not None and found.measured == decode(range(50 - BEFORE, 50 + AFTER)) and found.served.split()[BEFORE] == "777"
