"""Columns may be paths into nested rows; what a row does not have is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuneproof.engine.case.data import Columns
from tuneproof.engine.case.overrides import apply_override
from tuneproof.engine.data.cells import RowError
from tuneproof.engine.data.paths import leaf_paths, value_at
from tuneproof.engine.data.readers import read_examples

CHOICE = "annotations.0.result.0.value.choices.0"
ROW: dict[str, Any] = {
    "data": {"text": "Where is it?", "a.b": 1},
    "annotations": [{"result": [{"value": {"choices": ["shipping"]}}]}],
    "in.put": "literal",
    "in": {"put": "nested"},
    "packed": json.dumps([{"label": "x"}]),
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.text", "Where is it?"),
        (CHOICE, "shipping"),
        ("in.put", "literal"),
        ("data.a.b", 1),
        ("packed.0.label", "x"),
        ("nothing.at.all", None),
        ("data", ROW["data"]),
    ],
)
def test_a_path_leads_to_its_value_and_a_name_with_dots_goes_before_it(path: str, value: Any) -> None:
    assert value_at(ROW, path) == value


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("data.title", "`data` has no `title`"),
        ("annotations.1.result", "`annotations` is a list of 1, counted from 0"),
        ("annotations.first", "`annotations` is a list of 1"),
        ("data.text.0", "`data.text` is no object and no list"),
        ("text.0", "the row has no `text`"),
    ],
)
def test_a_path_that_a_row_does_not_have_is_named_with_where_it_ends(path: str, message: str) -> None:
    with pytest.raises(RowError, match=message):
        value_at(ROW, path)


def test_rows_are_read_by_paths_and_those_without_them_are_left_out(write_jsonl: Any) -> None:
    path = write_jsonl([ROW, {**ROW, "annotations": []}, {**ROW, "annotations": None}])
    loaded = read_examples(str(path), Columns(input="data.text", output=CHOICE))
    assert [(e.input, e.output) for e in loaded.examples] == [("Where is it?", "shipping")]
    assert [(source.line, str(problem)) for source, problem in loaded.problems] == [
        (2, f"`{CHOICE}` is missing: `annotations` is a list of 0, counted from 0"),
        (3, f"`{CHOICE}` is missing"),
    ]


def test_a_path_can_be_set_on_the_command_line() -> None:
    values: dict[str, Any] = {"data": {"examples": "rows.jsonl", "columns": {"input": "a", "output": "b"}}}
    apply_override(values, f"data.columns.output={CHOICE}")
    assert values["data"]["columns"]["output"] == CHOICE


def test_the_paths_of_a_value_are_listed_down_to_its_texts() -> None:
    found = dict(leaf_paths("annotations", ROW["annotations"]))
    assert found == {CHOICE: "shipping"}
