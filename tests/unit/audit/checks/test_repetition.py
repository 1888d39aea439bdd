"""Outputs that loop are found, and lists, tables and code are not."""

# Characters that look like others are what is tested here.
# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.checks.text_rows import clean, example, instead, lines, notes, planted_rows

SENTENCE = "the wheels on the bus go round and round all day long in town "


LOOPS = ["ha " * 120, SENTENCE * 8, "I do not know.\n" * 30, "不知道这个问题的答案是什么。" * 20, "=" * 400]
LOOPS += ["\n".join(f"Line {i}\nAnd the same sentence follows every one of them." for i in range(12))]


EDITS = [edit for planted in LOOPS for edit in instead(planted)]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_loops_planted_in_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("output",))
    assert lines("repetition", rows) == expected


@pytest.mark.parametrize(
    "output",
    [
        "[" + ", ".join(f'{{"name": "item {i}", "count": {i * 7 % 10}, "unit": "pieces"}}' for i in range(40)) + "]",
        "\n".join(f"| row {i} | {i * i} | ok |" for i in range(40)),
        "\n".join(f"{i}. Take {i} cups of flour and stir {i + 3} times." for i in range(1, 30)),
        "import os\n\n" + "\n".join(f"def f{i}(x):\n    return x + {i}\n" for i in range(20)),
        "ha " * 30,
        "\n".join("ok\tyes\tnone" for _ in range(40)),
        "北部的哪个港口最先建成，花了多长时间才完成建设？其他港口又是什么时候开始的呢？" * 2,
    ],
)
def test_lists_tables_and_code_are_not_repetitive(output: str) -> None:
    assert notes("repetition", "Make a list.", output) == []


def test_a_loop_is_shown_with_what_it_repeats() -> None:
    assert notes("repetition", "Sing.", "na " * 100) == ["99% repeats earlier text, such as “na na na na na na na na na na”"]


def test_one_tag_for_each_word_is_no_loop() -> None:
    assert notes("repetition", "word " * 120, "O " * 120) == []


def test_outputs_that_mostly_repeat_themselves_are_meant_to() -> None:
    rows = [example(line, f"verse {line}", SENTENCE * 8) for line in range(1, 11)]
    assert lines("repetition", rows) == [] and lines("repetition", [*rows[:3], *map(clean, range(20, 40))]) == [1, 2, 3]
