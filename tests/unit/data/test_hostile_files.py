"""Files that are made to do harm, and rows that no run could store: each is refused or reported by name, before memory or time are gone."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from tests.unit.data.written_rows import read_bytes
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.freeze import examples_from_jsonl, examples_to_jsonl
from tuneproof.engine.data.readers import LoadedExamples, ReadingProgress, read_examples
from tuneproof.engine.data.reading_limits import MIB, ReadingLimits

GOOD = b'{"input": "a", "output": "b"}\n'
BIG = "x" * 2 * MIB
ROWS: dict[str, list[Any]] = {"input": ["q", "r"], "output": ["a", "b"]}


def zstd(content: bytes) -> bytes:
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))


def parquet(path: Path, table: pyarrow.Table, **options: Any) -> bytes:
    pyarrow.parquet.write_table(table, path, **options)
    return path.read_bytes()


def repeated(path: Path) -> bytes:
    return parquet(path, pyarrow.table({"input": pyarrow.array([BIG] * 16), "output": ["a"] * 16}), compression="zstd")


def repeated_turns(path: Path) -> bytes:
    turns = [[{"role": "user", "content": BIG}, {"role": "assistant", "content": "a"}]] * 16
    return parquet(path, pyarrow.table({"messages": turns}), compression="zstd")


def shared_prefixes(path: Path) -> bytes:
    table = pyarrow.table({"input": [BIG + str(at) for at in range(16)], "output": ["a"] * 16})
    encoding = {"input": "DELTA_BYTE_ARRAY", "output": "PLAIN"}
    return parquet(path, table, compression="zstd", use_dictionary=False, column_encoding=encoding)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("rows.jsonl.gz", lambda path: gzip.compress(b" " * 20 * MIB, 1)),
        ("rows.csv.gz", lambda path: gzip.compress(b"a" * 20 * MIB, 1)),
        ("rows.json.zst", lambda path: zstd(b"[" * 20 * MIB)),
        ("rows.parquet.zst", lambda path: zstd(b"\0" * 20 * MIB)),
        ("rows.parquet", repeated),
        ("turns.parquet", repeated_turns),
        ("prefixes.parquet", shared_prefixes),
        ("many.parquet", lambda path: parquet(path, pyarrow.table({"input": pyarrow.array([1] * 4_000_000, pyarrow.int8())}))),
    ],
)
def test_a_file_that_grows_to_fill_memory_is_refused_by_name(tmp_path: Path, name: str, make: Callable[[Path], bytes]) -> None:
    with pytest.raises(DataRefused, match=rf"{name}: the file grows from .* --allow-large"):
        read_bytes(tmp_path / name, make(tmp_path / "made"))


def test_a_file_that_is_meant_to_grow_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD + b" " * 20 * MIB + b"\n" + GOOD, 1))
    with pytest.raises(DataRefused):
        read_examples(str(path))
    loaded = read_examples(str(path), limits=ReadingLimits(allow_large=True))
    assert [e.source.line for e in loaded.examples] == [1, 3]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz"])
def test_rows_that_memory_cannot_hold_are_refused_with_the_numbers(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows{ending}"
    match ending:
        case ".parquet":
            parquet(path, pyarrow.table({"input": [str(at) * 50 for at in range(5000)], "output": ["a"] * 5000}))
        case ".jsonl.gz":
            path.write_bytes(gzip.compress(GOOD * 40_000))
        case ".json":
            path.write_bytes(b"[" + b",".join([GOOD] * 40_000) + b"]")
        case ".csv":
            path.write_bytes(b"input,output\n" + b"aaaaaaaaaaaaaaaaa,b\n" * 60_000)
        case _:
            path.write_bytes(GOOD * 40_000)
    with pytest.raises(DataRefused, match=rf"rows{ending}: the audit needs .* of memory or more .*1\.0 MiB are free.*--allow-large"):
        read_examples(str(path), limits=ReadingLimits(MIB))


def test_pipes_devices_and_links_in_a_circle_are_no_data_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    for name, kind in {"pipe.jsonl": "a pipe", "zero.jsonl": "a device", "loop.jsonl": "no such file"}.items():
        with pytest.raises(DataRefused, match=kind):
            read_examples(str(tmp_path / name))
    (tmp_path / "rows.jsonl").write_bytes(GOOD)
    assert list(read_examples(str(tmp_path)).shapes) == ["rows.jsonl"]


@pytest.mark.parametrize("name", ["x" * 300 + ".jsonl", "a\0b.jsonl"])
def test_a_name_that_no_file_can_have_is_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataRefused, match="no such file"):
        read_examples(str(tmp_path / name))


LONG = b"x" * 17 * MIB


@pytest.mark.parametrize(
    ("ending", "content", "good", "bad"),
    [
        (".jsonl", GOOD + b'{"input": "' + LONG + b'", "output": "b"}\n' + GOOD, [1, 3], [2]),
        (".json", b"[" + GOOD + b',{"input": "' + LONG + b'", "output": "b"}\n,' + GOOD + b"]", [1, 3], [2]),
        (".csv", b"input,output\na,b\n" + LONG + b",c\nd,e\n", [2, 4], [3]),
        (".csv", b'input,output\na,b\n"' + LONG + b'\n",c\nd,e\n', [2, 5], [3]),
        (".csv", b'input,output\na,b\n"one\n' + LONG + b'",c\nd,e\n', [2, 5], [3]),
        (".csv", b'input,output\na,b\n"' + b"never closed\n" * 2 * MIB, [2], [3]),
    ],
    ids=["line", "array", "line of a table", "quoted cell", "second line of a quoted cell", "cell without end"],
)
def test_a_row_of_many_megabytes_is_a_finding_and_costs_only_itself(
    tmp_path: Path, ending: str, content: bytes, good: list[int], bad: list[int]
) -> None:
    loaded = read_bytes(tmp_path / f"rows{ending}", content)
    assert [e.source.line for e in loaded.examples] == good
    assert [source.line for source, _ in loaded.problems] == bad and "16 MiB" in str(loaded.problems[0][1])


def stored_and_read(loaded: LoadedExamples) -> bool:
    """Whether a run could store these rows and read back the same."""
    return [example for _, example in examples_from_jsonl(examples_to_jsonl(loaded.examples))] == loaded.examples


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        (b'"x": "\\ud800"', "`x` has half a surrogate pair"),
        (b'"x": {"y": ["\\udfff"]}', "`x` has half a surrogate pair"),
        (b'"\\ud800": 1', "has half a surrogate pair"),
        (b'"x": ' + b"[" * 300 + b"]" * 300, "`x` is nested deeper than 64 levels"),
        (b'"x": ' + b"[" * 100_000, "nested too deeply"),
        (b'"x": ' + b"9" * 5000, "an integer has 5,000 digits"),
        (b'"x": 1e999', "`x` has a number that is infinite"),
        (b'"x": 1, "x": 2', "the key `x` occurs twice"),
    ],
)
def test_a_column_that_no_run_can_store_is_a_finding_although_it_is_not_used(tmp_path: Path, extra: bytes, problem: str) -> None:
    loaded = read_bytes(tmp_path / "rows.jsonl", GOOD + b'{"input": "a", "output": "b", ' + extra + b"}\n" + GOOD)
    assert [e.source.line for e in loaded.examples] == [1, 3] and stored_and_read(loaded)
    ((source, found),) = loaded.problems
    assert source.line == 2 and problem in str(found)


def test_in_an_array_such_a_row_costs_only_itself(tmp_path: Path) -> None:
    rows = [GOOD, b'{"input": "a", "output": NaN}\n', b'{"input": "a", "input": "c", "output": "b"}\n', GOOD]
    loaded = read_bytes(tmp_path / "rows.json", b"[" + b",".join(rows) + b"]")
    assert [e.source.line for e in loaded.examples] == [1, 4] and [source.line for source, _ in loaded.problems] == [2, 3]


def test_every_type_of_parquet_becomes_something_that_a_run_can_store(tmp_path: Path) -> None:
    at = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    table = pyarrow.table(
        {
            **ROWS,
            "date": [date(2024, 1, 2), None],
            "time": pyarrow.array([at, None], pyarrow.timestamp("us", tz="Europe/Berlin")),
            "late": pyarrow.array([2**62, 0], pyarrow.timestamp("us")),
            "price": [Decimal("12.50"), None],
            "picture": [b"\xff\xd8", b"text"],
            "film": [b"\xff" * 5000, None],
            "score": [float("nan"), float("inf")],
            "map": pyarrow.array([[("k", 1)], None], pyarrow.map_(pyarrow.string(), pyarrow.int32())),
            "large": pyarrow.array([2**64 - 1, 0], pyarrow.uint64()),
        }
    )
    loaded = read_bytes(tmp_path / "rows.parquet", parquet(tmp_path / "made", table))
    (example,) = loaded.examples
    assert example.source.line == 2 and "a value cannot be read" in str(loaded.problems[0][1]) and stored_and_read(loaded)
    loaded = read_bytes(tmp_path / "rows.parquet", parquet(tmp_path / "made", table.drop_columns(["late"])))
    kept = loaded.examples[0].metadata
    assert stored_and_read(loaded) and (kept["date"], kept["price"], kept["score"]) == ("2024-01-02", "12.50", None)
    assert kept["time"] == "2024-01-02T04:04:05+01:00" and kept["picture"].startswith("base64:") and "5000 bytes" in kept["film"]


def test_bytes_that_are_no_text_are_never_an_input(tmp_path: Path) -> None:
    table = pyarrow.table({"input": [b"text", b"\xff\xd8"], "output": ["a", "b"]})
    loaded = read_bytes(tmp_path / "rows.parquet", parquet(tmp_path / "made", table))
    assert [e.input for e in loaded.examples] == ["text"] and "`input` has bytes that are not text" in str(loaded.problems[0][1])


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_two_inputs_are_refused_because_it_cannot_be_known_which_is_meant(tmp_path: Path, ending: str) -> None:
    table = pyarrow.table([["a"], ["b"], ["c"]], names=["input", "input", "output"])
    content = parquet(tmp_path / "made", table) if ending == ".parquet" else b"input,input,output\na,b,c\n"
    with pytest.raises(DataRefused, match="two columns are called `input`"):
        read_bytes(tmp_path / f"rows{ending}", content)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1xxxxPAR1", b"\x1f\x8b"])
@pytest.mark.parametrize("ending", [".parquet", ".jsonl.gz", ".jsonl.zst", ".parquet.gz"])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, ending: str, content: bytes) -> None:
    with pytest.raises(DataRefused, match=rf"rows{ending}"):
        read_bytes(tmp_path / f"rows{ending}", content)


def test_the_message_about_a_row_is_short_however_long_the_name_of_its_column_is(tmp_path: Path) -> None:
    with pytest.raises(DataRefused) as caught:
        read_bytes(tmp_path / "rows.csv", b"\x80" + b"9" * 4500 + b"\n")
    assert len(str(caught.value)) < 1000


def test_progress_says_how_far_a_file_has_been_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(GOOD * 20_000)
    seen: list[ReadingProgress] = []
    read_examples(str(tmp_path), on_progress=seen.append)
    assert [each.rows for each in seen] == [1000 * (at + 1) for at in range(20)]
    assert [each.share for each in seen] == sorted(each.share for each in seen) and 0 < seen[0].share < seen[-1].share <= 1
