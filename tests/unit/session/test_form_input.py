"""Typed text is read as a person means it, or refused with what is expected."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tuneproof.engine.case.data import Columns
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.session.form_input import (
    InputError,
    base_model,
    parse_choices,
    parse_columns,
    parse_number,
    parse_percent,
    parse_schema,
    parse_shares,
    path_or_hub_name,
)


@pytest.mark.parametrize(
    ("text", "share"),
    [("90", 0.9), (" 87.5 % ", 0.875), ("0.1 %", 0.001), ("0.9", 0.9), ("0,9", 0.9), ("1", 1.0), ("", None), (" % ", None)],
)
def test_a_percentage_is_read_as_a_share_with_or_without_its_sign(text: str, share: float | None) -> None:
    assert parse_percent(text) == share


@pytest.mark.parametrize("text", ["0.6 0.15 0.25", "0.6, 0.15, 0.25", "0.6,0.15,0.25"])
def test_shares_are_separated_by_spaces_or_commas(text: str) -> None:
    assert parse_shares(text) == (0.6, 0.15, 0.25)


def test_shares_may_be_in_percent() -> None:
    assert parse_shares("60 15 25") == parse_shares("60% 15 % 25 %") == (0.6, 0.15, 0.25)


def test_a_schema_is_a_json_object() -> None:
    assert parse_schema('{"type": "object"}') == {"type": "object"}
    assert parse_schema(" \n") is None


def test_choices_are_lines() -> None:
    assert parse_choices(" yes \n\nno\n") == ["yes", "no"]
    assert parse_choices("\n") is None


def test_columns_are_separated_by_a_comma() -> None:
    assert parse_columns("question , answer") == Columns(input="question", output="answer")
    assert parse_columns("") is None


def test_an_empty_number_means_the_default() -> None:
    assert (parse_number("epochs", "1.5"), parse_number("epochs", " ")) == (1.5, None)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (parse_percent, "ninety", "a number between 0 and 100"),
        (parse_shares, "0.5 0.5", "three numbers that add up to 1"),
        (parse_shares, "a b c", "three numbers that add up to 1"),
        (parse_schema, "{", "not valid JSON"),
        (parse_percent, "900", "900 is not a percentage"),
        (parse_percent, "-3", "-3 is not a percentage"),
        (parse_percent, "nan", "not a percentage"),
        (parse_shares, "0.5 0.2 0.2", "these add up to 0.9"),
        (parse_schema, "[1]", "a schema is a JSON object"),
        (parse_choices, "yes\nno\nyes", "line 3 has the label of line 1 again"),
        (parse_columns, "question", "two column names, separated by a comma"),
        (lambda text: parse_number("epochs", text), "many", "epochs has to be a number, such as 3$"),
        (lambda text: parse_number("learning_rate", text), "small", "learning_rate has to be a number, such as 2e-4$"),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_what_is_expected(read: object, text: str, expected: str) -> None:
    assert callable(read)
    with pytest.raises(InputError, match=expected):
        read(text)


def test_a_path_becomes_absolute_and_a_hub_name_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").touch()
    assert path_or_hub_name("rows.jsonl") == str(tmp_path / "rows.jsonl")
    assert path_or_hub_name("org/rows") == "org/rows"


def test_the_sample_model_is_not_taken_for_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(load_base(ModelChoice()).folder, "sample")
    assert base_model(" sample ") == "sample"
    assert base_model("./sample") == str(tmp_path / "sample")
