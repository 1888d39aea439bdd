"""The examples of a case are read from files and folders, and every row that cannot be used is listed with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.case.data import Columns
from tuneproof.engine.core.errors import DataRefused, ShapeUnknown
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.problems import DifferentShape
from tuneproof.engine.data.readers import read_examples

ROW = '{"input": "a", "output": "b"}\n'


def test_columns_that_the_case_names_are_input_and_output(write_jsonl: Any) -> None:
    path = write_jsonl([{"question": "two?", "reply": {"n": 2}, "id": 7}])
    with pytest.raises(ShapeUnknown, match=r"rows.jsonl:1.*question, reply, id.*data.columns"):
        read_examples(str(path))
    loaded = read_examples(str(path), Columns(input="question", output="reply"))
    assert [(e.input, e.output, e.metadata) for e in loaded.examples] == [("two?", '{"n": 2}', {"id": 7})]


def test_bad_rows_are_listed_with_their_lines_and_the_good_ones_are_read(tmp_path: Path) -> None:
    good = b'{"input": "a", "output": "b"}\n'
    bad = [
        b'{"input": "a", "output": }\n',
        b'{"input": "caf\xe9", "output": "b"}\n',
        b'{"input": "\\ud83c", "output": "b"}\n',
        b'["a", "b"]\n',
        b'{"input": "a"}\n',
        b'{"messages": []}\n',
        b'{"input": "a", "output": NaN}\n',
    ]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(good + b"\n" + good.join(bad) + good)
    loaded = read_examples(str(path))
    assert [source.line for source, _ in loaded.problems] == [3, 5, 7, 9, 11, 13, 15]
    assert [e.source.line for e in loaded.examples] == [1, 4, 6, 8, 10, 12, 14, 16]
    messages = [str(problem) for _, problem in loaded.problems]
    assert "not JSON" in messages[0] and "not UTF-8" in messages[1] and "surrogate" in messages[2] and "`output` missing" in messages[4]
    assert "the row's shape is messages, the file's is input/output" in messages[5]


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_single_row_of_another_shape_does_not_decide_the_shape_of_the_file(write_jsonl: Any, at: int) -> None:
    rows: list[dict[str, Any]] = [{"input": "a", "output": "b"}] * 3
    loaded = read_examples(str(write_jsonl([*rows[:at], {"messages": []}, *rows[at:]])))
    assert loaded.shapes == {"rows.jsonl": "input/output"} and len(loaded.examples) == 3
    message = "the row's shape is messages, the file's is input/output"
    assert loaded.problems == [(Source("rows.jsonl", at + 1), DifferentShape(message, "messages", "input/output"))]


def test_all_files_of_a_folder_or_list_are_read_and_have_different_names(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.jsonl").write_text(2 * ROW)
    loaded = read_examples(str(tmp_path))
    assert list(loaded.shapes) == ["a/rows.jsonl", "b/rows.jsonl"]
    assert len(read_examples([str(tmp_path / "a"), str(tmp_path / "b" / "rows.jsonl")]).examples) == 4


@pytest.mark.parametrize(("name", "message"), [("none.jsonl", "no such file"), ("rows.xml", "not supported")])
def test_a_missing_file_and_an_unknown_format_are_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "rows.xml").write_text("<a/>")
    with pytest.raises(DataRefused, match=message):
        read_examples(str(tmp_path / name))
