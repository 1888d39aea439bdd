"""Columns are chosen from those of the first rows, whatever the format of the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneproof.engine.case.data import Columns, Data
from tuneproof.engine.session.column_choice import Column, ColumnChoice, Part, first_columns
from tuneproof.engine.session.data_form import with_examples
from tuneproof.engine.session.form_input import InputError, examples_named

COLUMNS = [Column("q", ("Is 1 even?",)), Column("a", ("no",)), Column("note", ("",))]


def test_columns_are_those_of_the_first_rows_with_their_values(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("q,a\nIs 1 even?,no\nIs 2 even?,yes\n")
    assert first_columns(str(tmp_path / "rows.csv")) == [
        Column("q", ("Is 1 even?", "Is 2 even?")),
        Column("a", ("no", "yes")),
    ]
    rows = [{"q": "x" * 1000, "turns": [{"role": "user"}]}, {"q": "b", "late": None}, {"q": "c"}, {"q": "d"}]
    (tmp_path / "rows.jsonl").write_text("not json\n" + "".join(json.dumps(row) + "\n" for row in rows))
    found = {column.name: column.values for column in first_columns([str(tmp_path / "rows.jsonl")])}
    assert list(found) == ["q", "turns", "turns.0.role", "late"] and len(found["q"]) == 3 and len(found["q"][0]) == 400
    assert found["turns"] == ('[{"role": "user"}]',) and found["late"] == ("null",)
    assert first_columns("org/rows") == []


def test_request_answer_and_instruction_are_chosen_in_turn_and_can_be_taken_back() -> None:
    choice = ColumnChoice().with_next("q")
    assert choice.asks_for is Part.OUTPUT and [column.name for column in choice.left(COLUMNS)] == ["a", "note"]
    assert choice.without_last() == ColumnChoice() and choice.with_next("a").without_last() == choice
    assert choice.columns is None
    assert choice.with_next("a").with_next(None).columns == Columns(input="q", output="a")
    assert choice.with_next("a").with_next("note").columns == Columns(input="q", output="a", instruction="note")


def test_other_examples_keep_eval_file_documents_and_shares_but_no_decision_about_the_rows() -> None:
    data = Data(examples="a", eval="e", documents="d", leave_out=["conflict"], columns=Columns(input="q", output="a"))
    assert with_examples(data, "b") == Data(examples="b", eval="e", documents="d")


def test_a_path_that_leads_nowhere_is_refused_where_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert examples_named("org/rows") == "org/rows"
    for path in ("rows.jsonl", "./rows", "/none", "a/b/c"):
        with pytest.raises(InputError, match="there is no file or folder"):
            examples_named(path)
