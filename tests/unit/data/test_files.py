"""Every format reads to the same examples, plain or compressed; a bad row costs only itself, and a file that is no data is refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.written_rows import PIZZA_CESU_8, array, jsonl, read_bytes, table, within_an_object
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.problems import NotUtf8Row
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
        content = pyarrow.compress(content, codec="zstd", asbytes=True)
    return content


@pytest.mark.parametrize("how", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
def test_each_format_plain_or_compressed_reads_to_the_same_examples(tmp_path: Path, ending: str, how: str) -> None:
    path = tmp_path / f"rows{ending}{how}"
    path.write_bytes(compressed(encoded(ROWS, ending), how))
    loaded = read_examples(str(path))
    assert [(e.instruction, e.input, e.output) for e in loaded.examples] == [tuple(r.values()) for r in ROWS]
    assert loaded.shapes == {path.name: "instruction/input/output"}
    assert not loaded.problems


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda t: t.strip() != "")


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_any_text_survives_jsonl(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_bytes(encoded([{"input": a, "output": b} for a, b in pairs], ".jsonl"))
    assert [(e.input, e.output) for e in read_examples(str(path)).examples] == pairs


@given(st.binary(max_size=300), st.sampled_from([".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz"]))
def test_no_bytes_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str) -> None:
    path = tmp_path_factory.mktemp("rows") / f"rows{ending}"
    path.write_bytes(content)
    try:
        loaded = read_examples(str(path))
    except DataRefused as refused:
        assert path.name in str(refused)
    else:
        assert loaded.examples


BAD = (PIZZA_CESU_8, b"\xed\xa0\xbc", b"\xc0\x80", b"\xf0\x9f\x8d", b"\xe9", b"\xff\xfe", b"\x80\x80")


@pytest.mark.parametrize(
    ("ending", "encode", "first"), [(".jsonl", jsonl, 1), (".json", array, 2), (".json", within_an_object, 2), (".csv", table, 2)]
)
@given(cells=st.lists(st.one_of(st.sampled_from(BAD), st.sampled_from(["", "Zoë", "🍕"]).map(str.encode)), min_size=1, max_size=8))
def test_invalid_bytes_cost_only_their_row(
    tmp_path_factory: pytest.TempPathFactory, ending: str, encode: Callable[[list[bytes]], bytes], first: int, cells: list[bytes]
) -> None:
    cells = [*cells, b"good"]
    path = tmp_path_factory.mktemp("rows") / f"rows{ending}"
    path.write_bytes(encode(cells))
    loaded = read_examples(str(path))
    bad = [at for at, cell in enumerate(cells) if cell in BAD]
    assert [e.input for e in loaded.examples] == [f"{at} {cell.decode()}" for at, cell in enumerate(cells) if at not in bad]
    assert [e.source.line for e in loaded.examples] == [at + first for at in range(len(cells)) if at not in bad]
    assert [source.line for source, _ in loaded.problems] == [at + first for at in bad]
    assert all(isinstance(problem, NotUtf8Row) for _, problem in loaded.problems)


def test_a_bad_cell_costs_only_its_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'input,output\na,b\n"two\nlines",c\n\xff,d\ne\nf,g\n')
    loaded = read_examples(str(path))
    assert [(e.input, e.source.line) for e in loaded.examples] == [("a", 2), ("two\nlines", 3), ("f", 7)]
    assert [source.line for source, _ in loaded.problems] == [5, 6]


def test_an_invalid_cell_is_named_with_its_column_and_an_invalid_column_with_its_bytes(tmp_path: Path) -> None:
    loaded = read_bytes(tmp_path / "rows.csv", b"input,output,Zo\xeb\na\xe9s,b,c\nd,e,f\n")
    assert [str(problem) for _, problem in loaded.problems] == [
        r"not UTF-8 at byte 3 of the cell `Zo\xeb`: EB is a character that is cut off: 1 of 3 bytes, or ë in Latin-1",
        "not UTF-8 at byte 2 of the cell `input`: E9 is probably Latin-1 or Windows-1252: é",
    ]
    assert [dict(e.metadata) for e in loaded.examples] == [{r"Zo\xeb": "f"}]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_file_in_utf_16_or_32_is_refused_with_what_to_do(tmp_path: Path, ending: str, encoding: str) -> None:
    content = table([b"a"]) if ending == ".csv" else array([b"a"]) if ending == ".json" else jsonl([b"a"])
    with pytest.raises(DataRefused, match=rf"rows{ending}: the file is {encoding[:6].upper()}, not UTF-8; save it as UTF-8"):
        read_bytes(tmp_path / f"rows{ending}", content.decode().encode(encoding))
