"""Every format and shape reads to the same examples; a bad row is named with its line, and the good rows go on."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.data import Columns
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.example import Message, Source
from tuneproof.engine.data.problems import OtherShape, Unreadable, WrongTurns
from tuneproof.engine.data.readers import read_examples

ROWS = [
    {"instruction": "Say it.", "input": "Grüße, “Zoë” 🍕", "output": "yes\nno"},
    {"instruction": "Say it.", "input": 'a "quoted", tab\tcell', "output": "b"},
]


def encoded(rows: list[dict[str, str]], ending: str) -> bytes:
    match ending:
        case ".jsonl":
            return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode()
        case ".json":
            return json.dumps(rows, indent=2).encode()
        case ".parquet":
            sink = io.BytesIO()
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
            return sink.getvalue()
        case _:
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(rows[0]), delimiter="\t" if ending == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
            return text.getvalue().encode()


def compressed(content: bytes, how: str) -> bytes:
    if how == ".gz":
        return gzip.compress(content)
    if how == ".zst":
        return pyarrow.compress(content, codec="zstd", asbytes=True)
    return content


@pytest.mark.parametrize("how", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
def test_each_format_plain_or_compressed_reads_to_the_same_examples(tmp_path: Path, ending: str, how: str) -> None:
    path = tmp_path / f"rows{ending}{how}"
    path.write_bytes(compressed(encoded(ROWS, ending), how))
    reading = read_examples(str(path))
    assert [(e.instruction, e.input, e.output) for e in reading.examples] == [tuple(r.values()) for r in ROWS]
    assert reading.shapes == {path.name: "instruction/input/output"}
    assert not reading.problems


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda t: t.strip() != "")


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_any_text_survives_jsonl(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_bytes(encoded([{"input": a, "output": b} for a, b in pairs], ".jsonl"))
    assert [(e.input, e.output) for e in read_examples(str(path)).examples] == pairs


@given(st.binary(max_size=300), st.sampled_from([".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz"]))
def test_no_bytes_whatever_make_the_reader_fall_over(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str) -> None:
    path = tmp_path_factory.mktemp("rows") / f"rows{ending}"
    path.write_bytes(content)
    try:
        reading = read_examples(str(path))
    except DataRefused as refused:
        assert path.name in str(refused)
    else:
        assert reading.examples


SYSTEM, ASK, ANSWER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "two?"}, {"role": "assistant", "content": "2"}


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"prompt": "two?", "completion": "2"}, "prompt/completion"),
        ({"messages": [ASK, ANSWER]}, "messages"),
        ({"conversations": [{"from": "human", "value": "two?"}, {"from": "gpt", "value": "2"}]}, "conversations"),
        ({"instruction": "two?", "input": "", "output": "2"}, "instruction/input/output"),
        ({"input": "two?", "output": "2"}, "input/output"),
        ({"prompt": [ASK], "completion": [ANSWER]}, "prompt/completion"),
    ],
)
def test_each_shape_is_told_by_its_keys_and_read(write_jsonl: Any, row: dict[str, Any], shape: str) -> None:
    reading = read_examples(str(write_jsonl([{**row, "source": "web"}])))
    (example,) = reading.examples
    assert (example.instruction, example.input, example.output) == ("", "two?", "2")
    assert example.metadata == {"source": "web"}
    assert reading.shapes == {"rows.jsonl": shape}


def test_a_chat_of_several_turns_keeps_its_system_and_history(write_jsonl: Any) -> None:
    (example,) = read_examples(str(write_jsonl([{"messages": [SYSTEM, ASK, ANSWER, ASK, ANSWER]}]))).examples
    assert example.system == "Be brief."
    assert example.history == (Message("user", "two?"), Message("assistant", "2"))


def test_two_columns_are_read_as_the_case_says(write_jsonl: Any) -> None:
    path = write_jsonl([{"question": "two?", "reply": {"n": 2}, "id": 7}])
    with pytest.raises(DataRefused, match=r"rows.jsonl:1.*question, reply, id.*data.columns"):
        read_examples(str(path))
    reading = read_examples(str(path), Columns(input="question", output="reply"))
    assert [(e.input, e.output, e.metadata) for e in reading.examples] == [("two?", '{"n": 2}', {"id": 7})]


def test_bad_rows_are_named_with_their_line_and_the_good_rows_go_on(tmp_path: Path) -> None:
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
    reading = read_examples(str(path))
    assert [source.line for source, _ in reading.problems] == [3, 5, 7, 9, 11, 13, 15]
    assert [e.source.line for e in reading.examples] == [1, 4, 6, 8, 10, 12, 14, 16]
    told = [str(problem) for _, problem in reading.problems]
    assert "not JSON" in told[0] and "not UTF-8" in told[1] and "surrogate" in told[2] and "`output` missing" in told[4]
    assert "the row is messages, the file input/output" in told[5]


def test_a_broken_array_gives_the_rows_before_the_break(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[\n {"input": "a", "output": "b"},\n {"input": "c", "output": \n]')
    reading = read_examples(str(path))
    assert [(e.input, e.source.line) for e in reading.examples] == [("a", 2)]
    assert [source.line for source, _ in reading.problems] == [3]


def test_a_bad_cell_costs_one_row_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'input,output\na,b\n"two\nlines",c\n\xff,d\ne\nf,g\n')
    reading = read_examples(str(path))
    assert [(e.input, e.source.line) for e in reading.examples] == [("a", 2), ("two\nlines", 3), ("f", 7)]
    assert [source.line for source, _ in reading.problems] == [5, 6]


@pytest.mark.parametrize(
    "turns",
    [
        [ASK],
        [ANSWER],
        [ASK, {"role": "robot", "content": "2"}],
        [ASK, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}],
        [ASK, ANSWER, ANSWER],
        [SYSTEM],
        [ASK, SYSTEM, ANSWER],
        [ASK, ANSWER, {"role": "tool", "content": "3"}, ANSWER],
        "text",
        [],
    ],
)
def test_a_chat_without_an_answer_to_learn_is_a_bad_row(write_jsonl: Any, turns: Any) -> None:
    reading = read_examples(str(write_jsonl([{"messages": turns}, {"messages": [ASK, ANSWER]}])))
    ((source, problem),) = reading.problems
    is_of_another_kind = turns == "text" or any("tool_calls" in turn or turn["role"] == "tool" for turn in turns)
    assert source.line == 1 and isinstance(problem, Unreadable if is_of_another_kind else WrongTurns)
    assert len(reading.examples) == 1


@pytest.mark.parametrize("at", [0, 1, 3])
def test_one_row_of_another_shape_does_not_decide_for_the_file(write_jsonl: Any, at: int) -> None:
    rows: list[dict[str, Any]] = [{"input": "a", "output": "b"}] * 3
    reading = read_examples(str(write_jsonl([*rows[:at], {"messages": [ASK, ANSWER]}, *rows[at:]])))
    assert reading.shapes == {"rows.jsonl": "input/output"} and len(reading.examples) == 3
    told = "the row is messages, the file input/output"
    assert reading.problems == [(Source("rows.jsonl", at + 1), OtherShape(told, "messages", "input/output"))]


def test_a_folder_and_a_list_are_read_whole_and_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.jsonl").write_bytes(encoded(ROWS, ".jsonl"))
    reading = read_examples(str(tmp_path))
    assert list(reading.shapes) == ["a/rows.jsonl", "b/rows.jsonl"]
    assert len(read_examples([str(tmp_path / "a"), str(tmp_path / "b" / "rows.jsonl")]).examples) == 4


@pytest.mark.parametrize(("name", "told"), [("none.jsonl", "no such file"), ("rows.xml", "not a format")])
def test_what_cannot_be_read_at_all_is_refused(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "rows.xml").write_text("<a/>")
    with pytest.raises(DataRefused, match=told):
        read_examples(str(tmp_path / name))
