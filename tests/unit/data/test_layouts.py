"""Data are read in the folders, files and documents that tools write, and their train, validation and test parts stay what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import ipc, parquet

from tests.unit.data.written_rows import read_bytes
from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.notes import NotRead, TakenPart
from tuneproof.engine.data.parts import Part, part_of_name
from tuneproof.engine.data.readers import LoadedExamples, read_examples
from tuneproof.engine.data.split import split

ROWS = [{"input": f"ask {at}", "output": "x"} for at in range(6)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def parts(loaded: LoadedExamples) -> dict[str, int]:
    """How many rows each part has."""
    found = [loaded.parts.get(example.source, Part.TRAIN).value for example in loaded.examples]
    return {name: found.count(name) for name in found}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["train.jsonl", "valid.jsonl", "test.jsonl"], {"train": 6, "validation": 6, "eval": 6}),
        (["data/train-00000-of-00001.jsonl", "data/test-00000-of-00001.jsonl"], {"train": 6, "eval": 6}),
        (["train/rows.jsonl", "dev/rows.jsonl"], {"train": 6, "validation": 6}),
        (["tickets.jsonl", "tickets_test.jsonl"], {"train": 6, "eval": 6}),
        (["test/a.jsonl", "test/b.jsonl"], {"train": 12}),
        (["a.jsonl", "b.jsonl"], {"train": 12}),
        (["latest.jsonl", "contest.jsonl", "evaluator.jsonl"], {"train": 18}),
    ],
)
def test_files_of_a_folder_take_the_part_that_their_name_says(tmp_path: Path, files: list[str], expected: dict[str, int]) -> None:
    for at, name in enumerate(files):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(LINES.replace("ask", f"ask {at}"))
    loaded = read_examples(str(tmp_path))
    assert parts(loaded) == expected
    assert {note.part.value for note, _ in loaded.notes.of(TakenPart)} == expected.keys() - {"train"}


def test_files_that_are_listed_one_by_one_are_pooled_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("train.jsonl", "test.jsonl"):
        (tmp_path / name).write_text(LINES)
    assert parts(read_examples([str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl")])) == {"train": 12}


@pytest.mark.parametrize(("name", "part"), [("test-00000-of-00001", "eval"), ("my_train", "train"), ("train_test", None), ("latest", None)])
def test_a_part_is_a_word_of_a_name(name: str, part: str | None) -> None:
    assert part_of_name(name) == part


def test_json_about_data_is_no_data(tmp_path: Path) -> None:
    for name in ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"):
        (tmp_path / name).write_text('{"default": {"features": {}}}')
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "old.jsonl").write_text(LINES)
    with pytest.raises(DataRefused, match="no file of a known format"):
        read_examples(str(tmp_path))
    (tmp_path / "rows.jsonl").write_text(LINES)
    assert list(read_examples(str(tmp_path)).shapes) == ["rows.jsonl"]


def test_a_run_or_a_model_inside_the_folder_is_no_data_and_an_unknown_format_is_named(tmp_path: Path) -> None:
    for name in ("runs/one/events.jsonl", "runs/one/manifest.json", "runs/one/splits/train.jsonl", "base/tokenizer_config.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"kind": "begun"}')
    (tmp_path / "rows.jsonl").write_text(LINES)
    for name in ("more.xml", "old.zip", "part.gz", "README.md", "LICENSE", "policy.txt"):
        (tmp_path / name).write_text("<a/>")
    loaded = read_examples(str(tmp_path))
    assert list(loaded.shapes) == ["rows.jsonl"]
    assert [note.what for note, _ in loaded.notes.of(NotRead)] == [
        "more.xml, old.zip, part.gz in the folder, of a format that is not known"
    ]


def arrow(path: Path, rows: list[dict[str, Any]], *, is_stream: bool = True) -> None:
    table = pyarrow.Table.from_pylist(rows)
    with path.open("wb") as file, (ipc.new_stream if is_stream else ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)


def test_a_folder_of_save_to_disk_is_read_without_its_cache(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        arrow(tmp_path / part / "data-00000-of-00001.arrow", [{**row, "input": part + row["input"]} for row in ROWS])
        arrow(tmp_path / part / "cache-1234.arrow", ROWS)
        (tmp_path / part / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
        (tmp_path / part / "dataset_info.json").write_text('{"features": {}}')
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert parts(read_examples(str(tmp_path))) == {"train": 6, "eval": 6}
    assert parts(read_examples(str(tmp_path / "test"))) == {"train": 6}


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize("ending", [".arrow", ".feather"])
def test_arrow_files_and_streams_are_read(tmp_path: Path, ending: str, is_stream: bool) -> None:
    arrow(tmp_path / f"rows{ending}", ROWS, is_stream=is_stream)
    assert [e.input for e in read_examples(str(tmp_path)).examples] == [row["input"] for row in ROWS]


def test_a_broken_arrow_file_is_refused_by_name(tmp_path: Path) -> None:
    for content in (b"", b"ARROW1", b"ARROW1xxxxxxxxxxARROW1", b"xxxxxxxxxxxx"):
        with pytest.raises(DataRefused, match=r"rows\.arrow"):
            read_bytes(tmp_path / "rows.arrow", content)


PARTS = {"train": ROWS, "validation": [{"input": "v", "output": "x"}], "test": [{"input": "t", "output": "x"}]}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"version": 1, "data": ROWS}, {"train": 6}),
        ({"labels": ["a", "b"], "rows": ROWS}, {"train": 6}),
        ({"data": {"total": 6, "rows": ROWS}}, {"train": 6}),
        (PARTS, {"train": 6, "validation": 1, "eval": 1}),
        ({"data": PARTS, "info": {"made": "by hand"}}, {"train": 6, "validation": 1, "eval": 1}),
        ({"input": ["a", "b"], "output": ["x", "y"]}, {"train": 2}),
        ({"input": {"0": "a", "1": "b"}, "output": {"0": "x", "1": "y"}}, {"train": 2}),
        ({"columns": ["input", "output"], "index": [0, 1], "data": [["a", "x"], ["b", "y"]]}, {"train": 2}),
        ({"q1": ROWS[0], "q2": ROWS[1]}, {"train": 2}),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, {"train": 1}),
    ],
    ids=["list", "list of rows", "nested", "parts", "nested parts", "columns", "pandas", "pandas split", "ids", "one row"],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_rows_in_a_json_object_are_found(
    tmp_path: Path, document: dict[str, Any], expected: dict[str, int], indent: int | None
) -> None:
    loaded = read_bytes(tmp_path / "rows.json", json.dumps(document, indent=indent).encode())
    assert parts(loaded) == expected and not loaded.problems and len({e.source for e in loaded.examples}) == len(loaded.examples)


def test_a_list_beside_the_parts_of_a_json_object_is_named_as_not_read(tmp_path: Path) -> None:
    loaded = read_bytes(tmp_path / "rows.json", json.dumps({**PARTS, "people": [{"name": "Ann"}]}).encode())
    assert [(note.what, note.rows) for note, _ in loaded.notes.of(NotRead)] == [("the list `people` beside the rows", 1)]


def test_validation_rows_that_the_data_name_are_the_validation_part(tmp_path: Path) -> None:
    for name, first in {"train": 0, "valid": 3}.items():
        rows = [{"input": f"ask {at}", "output": "x"} for at in range(first, first + 40)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = read_examples(str(tmp_path))
    named = [source for source, part in loaded.parts.items() if part is Part.VALIDATION]
    for held_out in (None, [loaded.examples[0]]):
        found = split(loaded.examples, SplitShares(), held_out, named)
        assert {e.source for e in found.validation} | {e.source for e in found.cross_split_duplicates} >= set(named)
        assert {e.source.file for e in found.train} == {"train.jsonl"} and all(e.source.file == "train.jsonl" for e in found.eval)
        assert not {e.input for e in found.train} & {e.input for e in found.validation}


LABELS = {"names": ["billing", "shipping"], "_type": "ClassLabel"}
FEATURES = {
    "input": {"dtype": "string", "_type": "Value"},
    "output": LABELS,
    "tags": {"feature": LABELS, "_type": "Sequence"},
    "old": [LABELS],
    "turn": {"kind": LABELS, "text": {"dtype": "string", "_type": "Value"}},
}


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_labels_have_the_names_that_the_schema_gives_them(tmp_path: Path, ending: str) -> None:
    table = pyarrow.table(
        {
            "input": ["a", "b", "c"],
            "output": pyarrow.array([0, 1, -1], pyarrow.int64()),
            "tags": [[1, 0], [], None],
            "old": [[1], [0], [0]],
            "turn": [{"kind": 1, "text": "t"}, {"kind": 0, "text": None}, None],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})
    path = tmp_path / f"rows{ending}"
    if ending == ".parquet":
        parquet.write_table(table, path)
    else:
        with ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table)
    loaded = read_examples(str(path))
    assert [(e.output, dict(e.metadata)) for e in loaded.examples] == [
        ("billing", {"tags": ["shipping", "billing"], "old": ["shipping"], "turn": {"kind": "shipping", "text": "t"}}),
        ("shipping", {"tags": [], "old": ["billing"], "turn": {"kind": "billing"}}),
    ]
    assert [(source.line, str(problem)) for source, problem in loaded.problems] == [(3, "`output` is missing")]


def test_fields_that_a_column_of_structs_only_pads_are_not_part_of_the_answer(tmp_path: Path) -> None:
    outputs = [{"kind": "a", "refund": 3}, {"kind": "b", "gate": [{"x": 1}, {"y": 2}]}]
    parquet.write_table(pyarrow.table({"input": ["q", "r"], "output": outputs}), tmp_path / "rows.parquet")
    assert [json.loads(e.output) for e in read_examples(str(tmp_path)).examples] == outputs


def test_integers_that_a_data_frame_made_floating_point_numbers_are_integers(tmp_path: Path) -> None:
    table = pyarrow.table({"input": ["q", "r", "s"], "output": [1.0, 2.0, None], "share": [1.0, 0.5, None], "n": [1.0, float("nan"), 3.0]})
    parquet.write_table(table, tmp_path / "rows.parquet")
    arrow(tmp_path / "more.arrow", table.to_pylist())
    loaded = read_examples(str(tmp_path))
    assert [e.output for e in loaded.examples] == ["1", "2", "1", "2"]
    assert loaded.examples[0].metadata == {"share": 1.0, "n": 1} and loaded.examples[0].source == Source("more.arrow", 1)


def test_floating_point_numbers_of_16_bits_are_read(tmp_path: Path) -> None:
    table = pyarrow.table({"input": ["q", "r"], "output": pyarrow.array([1, 2], "float16"), "n": pyarrow.array([1, 2.5], "float16")})
    parquet.write_table(table, tmp_path / "rows.parquet")
    assert [(e.output, e.metadata["n"]) for e in read_examples(str(tmp_path)).examples] == [("1", 1.0), ("2", 2.5)]


def test_of_several_lists_in_a_json_object_the_one_with_rows_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps({"authors": [{"name": "Ann"}], "data": [{"input": "q", "output": "x"}]}))
    loaded = read_examples(str(tmp_path))
    assert [e.input for e in loaded.examples] == ["q"]
    assert [(note.what, note.rows) for note, _ in loaded.notes.of(NotRead)] == [("the list `authors` beside the rows", 1)]
