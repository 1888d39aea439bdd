"""Ids that each file numbers from the start are told from ids that two parts of one file share."""

from __future__ import annotations

import pytest

from tuneproof.engine.audit.groups.numbering import numbering_of, restarts


def files(*each: list[str]) -> bool:
    return restarts([numbering_of(values) for values in each])


@pytest.mark.parametrize(
    "parts",
    [
        ([str(i) for i in range(100)], [str(i) for i in range(30)]),
        ([f"conv-{i}" for i in range(100)], [f"conv-{i}" for i in range(30)]),
        ([f"dialog_{i:05d}" for i in range(1, 90)], [f"dialog_{i:05d}" for i in range(1, 90)]),
        ([str(i) for i in range(1000) if i % 20], [str(i) for i in range(200) if i % 15]),
        ([str(i) for i in range(50)], [str(i) for i in range(10)], [str(i) for i in range(70)]),
    ],
)
def test_ids_that_begin_again_are_other_groups(parts: tuple[list[str], ...]) -> None:
    assert files(*parts)


@pytest.mark.parametrize(
    "parts",
    [
        # The rows of one file at random: the numbers end at the same place, and some are in one part alone.
        ([str(i) for i in range(100) if i % 9], [str(i) for i in range(100) if i % 2]),
        ([f"conv-{i}" for i in range(40) if i % 7], [f"conv-{i}" for i in range(38) if i % 5]),
        # One file cut in two.
        ([str(i) for i in range(100)], [str(i) for i in range(100, 130)]),
        ([f"train-{i}" for i in range(50)], [f"dev-{i}" for i in range(50)]),
        (["3f2a", "9c1b", "77de"], ["3f2a"]),
        ([str(i) for i in range(0, 1000, 7)], [str(i) for i in range(0, 300, 7)]),
    ],
)
def test_ids_that_parts_share_are_the_same_groups(parts: tuple[list[str], ...]) -> None:
    assert not files(*parts)
