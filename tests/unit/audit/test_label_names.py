"""Labels are recognised in outputs, and texts, JSON and long outputs are not labels."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.label_rows import grader, table
from tuneproof.engine.audit.label_names import LabelReader, label_reader
from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.scoring.grade import Grader


@pytest.mark.parametrize(
    ("outputs", "judged", "reader"),
    [
        (["yes", "no"] * 10, None, LabelReader()),
        (["joy", "joy,love", "love", "love,fear", "fear"] * 10, None, LabelReader(ListStyle.COMMAS)),
        (["Paris, France", "Rome, Italy", "Nice, France"] * 10, None, LabelReader()),
        (["yes", "no"] * 4, None, None),
        ([f"a sentence about {i}" for i in range(50)], None, None),
        (["the same"] * 50, None, None),
        (['{"n": 1}', '{"n": 2}'] * 20, None, None),
        (["x" * 100, "y" * 100] * 20, None, None),
        (['["joy"]', '["joy", "love"]', '["love"]'] * 10, None, LabelReader(ListStyle.JSON)),
        (["joy", "love"] * 10, grader(kind="labels", choices=["joy", "love"], list_style="lines"), LabelReader(ListStyle.LINES)),
        (["yes", "no"] * 10, grader(kind="json"), None),
        (["yes", "no"], grader(kind="choice", choices=["yes", "no"]), LabelReader()),
    ],
)
def test_labels_are_short_and_occur_again(outputs: list[str], judged: Grader | None, reader: LabelReader | None) -> None:
    assert label_reader(table(outputs, judged=judged)) == reader
