"""Slips in JSON are named with their fix, cost only the row that they are in, and what is not read is counted."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import pytest

from tests.unit.data.written_rows import read_bytes
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.problems import UnreadableRow

ROWS = [{"input": f"ask {at}", "output": "x"} for at in range(5)]
LINES = [json.dumps(row) for row in ROWS]

SLIPS = {
    '{"input": "a", "output": "b",}': "a comma stands before a closing bracket",
    '{"input": ["a",], "output": "b"}': "a comma stands before a closing bracket",
    "{'input': 'a', 'output': None}": "Python's notation",
    '{"input": "a", "output": True}': "Python's notation",
    '{input: "a", "output": "b"}': "a key stands without quotation marks",
    '{“input”: "a", "output": "b"}': "typographic quotation marks",
    '{"input": "a", /* no */ "output": "b"}': "JSON has no comments",
    '{"input": "a" "output": "b"}': "a comma is missing",
    '{"input": "say "no" now", "output": "b"}': "a quotation mark inside a string",
    '{"input": "C:\\d", "output": "b"}'.replace("\\\\", "\\"): "a backslash inside a string",
}


@pytest.mark.parametrize(("row", "name"), SLIPS.items())
@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_a_slip_is_named_with_its_fix_and_costs_only_its_row(tmp_path: Path, row: str, name: str, ending: str) -> None:
    rows = [*LINES[:2], row, *LINES[2:]]
    text = "[\n" + ",\n".join(rows) + "\n]" if ending == ".json" else "\n".join(rows)
    loaded = read_bytes(tmp_path / f"rows{ending}", text.encode())
    ((source, problem),) = loaded.problems
    assert source.line == (4 if ending == ".json" else 3) and name in str(problem)
    assert [e.input for e in loaded.examples] == [row["input"] for row in ROWS]


@pytest.mark.parametrize("row", ["# a comment", "// a comment", LINES[0] * 2, LINES[0] + ",", LINES[0][:-6]])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, row: str) -> None:
    loaded = read_bytes(tmp_path / "rows.jsonl", "\n".join([row, *LINES]).encode())
    ((_, problem),) = loaded.problems
    assert (len(loaded.examples) == 5 and ":" in str(problem).removeprefix("not JSON: ")) or "ends in the middle" in str(problem)


def test_a_row_over_several_lines_is_one_problem(tmp_path: Path) -> None:
    text = "\n".join([LINES[0], json.dumps({**ROWS[1], "more": {"a": [1, {"b": 2}]}}, indent=2), LINES[2]])
    loaded = read_bytes(tmp_path / "rows.jsonl", text.encode())
    ((source, problem),) = loaded.problems
    assert len(loaded.examples) == 2 and source.line == 2 and isinstance(problem, UnreadableRow)
    assert problem.lines == text.count("\n") - 1 and "write each row in one line" in str(problem)


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_in_a_jsonl_is_refused_with_its_fix(tmp_path: Path, indent: int | None) -> None:
    with pytest.raises(DataRefused, match=r"the file is one JSON array, not one row a line; call it \.json"):
        read_bytes(tmp_path / "rows.jsonl", json.dumps(ROWS, indent=indent).encode())


@pytest.mark.parametrize(
    ("text", "read", "lines"),
    [
        ("[" + ",".join(LINES) + ",]", 5, []),
        ("[" + "".join(LINES) + "]", 5, []),
        (json.dumps(ROWS, indent=1)[:-40], 4, [1]),
        ("[\n" + ",\n".join(LINES) + "\n]\n[\n" + ",\n".join(LINES) + "\n]", 5, [8]),
        ("[\n" + ",\n".join([LINES[0], '{"input": "cut, "output": "b"}', *LINES[1:]]) + "\n]", 5, [1]),
        ('{"version": 1, "data": [\n' + ",\n".join([*LINES[:2], '{"input": "a",}', *LINES[2:]]) + "\n]}", 5, [1]),
    ],
    ids=["comma at the end", "no commas", "cut off", "two arrays", "unclosed string", "inside an object"],
)
def test_what_is_not_read_of_an_array_is_counted(tmp_path: Path, text: str, read: int, lines: list[int]) -> None:
    loaded = read_bytes(tmp_path / "rows.json", text.encode())
    assert len(loaded.examples) == read
    assert [problem.lines for _, problem in loaded.problems if isinstance(problem, UnreadableRow)] == lines


def test_a_number_that_json_does_not_have_costs_no_row_where_it_is_not_used(tmp_path: Path) -> None:
    rows = ['"score": NaN, "output": "b"', '"more": {"x": [Infinity]}, "output": "b"', '"output": NaN', '"output": {"x": NaN}']
    loaded = read_bytes(tmp_path / "rows.jsonl", "\n".join(f'{{"input": "a", {row}}}' for row in rows).encode())
    assert [dict(e.metadata) for e in loaded.examples] == [{"score": None}, {"more": {"x": ["Infinity"]}}]
    assert [source.line for source, _ in loaded.problems] == [3, 4]


def test_a_list_in_each_line_is_not_taken_for_one_array_over_the_file(tmp_path: Path) -> None:
    loaded = read_bytes(tmp_path / "rows.jsonl", "\n".join(['[{"role": "user", "content": "a"}]', "", *LINES]).encode())
    assert len(loaded.examples) == len(LINES)
    assert [(source.line, str(problem)) for source, problem in loaded.problems] == [(1, "not an object with named fields")]


@pytest.mark.parametrize("broken", ['{"input": "a, "output": "b{"}', "{'input': 'a', 'output': 'b'}"])
def test_the_end_of_a_broken_element_is_found_without_searching_far(tmp_path: Path, broken: str) -> None:
    rows = [LINES[0], broken] * 400
    joined = ",\n".join(rows)
    started = process_time()
    loaded = read_bytes(tmp_path / "rows.json", f"[\n{joined}\n]".encode())
    assert len(loaded.examples) == len(loaded.problems) == 400
    assert process_time() - started < 3
