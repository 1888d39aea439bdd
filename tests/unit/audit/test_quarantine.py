"""Rows with findings are copied beside their files, and the files of the user are never changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.data.row_files import ROWS, encoded
from tuneproof.engine.audit.quarantine import quarantine_path, write_quarantine
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import FoundRow, StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.data.source_files import QUARANTINE_SUFFIX
from tuneproof.engine.data.source_rows import source_files_of


def finding(check: str, *rows: tuple[str, int], note: str = "") -> StoredFinding:
    found = [FoundRow(file=file, line=line, note=note) for file, line in rows]
    return StoredFinding(check=check, severity=Severity.BLOCK, message="m", action="a", count=len(found), left_out=False, rows=found)


def quarantined(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_copied_into_quarantine_and_the_data_is_never_touched(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(encoded(".jsonl"))
    before, files = source.read_bytes(), source_files_of(Data(examples=str(source)))
    conflict = finding("conflict", ("rows.jsonl", 1), ("rows.jsonl", 3), note="yes\nno")
    written = write_quarantine(conflict, files)[0].path
    assert written == quarantine_path(source) == tmp_path / "rows.quarantine.jsonl"
    assert [(row["check"], row["line"], row["note"]) for row in quarantined(written)] == [
        ("conflict", 1, "yes\nno"),
        ("conflict", 3, "yes\nno"),
    ]
    assert [json.loads(row["row"].removeprefix("\ufeff")) for row in quarantined(written)] == ROWS[:2]
    once = written.read_bytes()
    assert [copy.path for copy in write_quarantine(conflict, files)] == [written] and written.read_bytes() == once, (
        "once more changes nothing"
    )
    write_quarantine(finding("format", ("rows.jsonl", 5)), files)
    write_quarantine(finding("conflict", ("rows.jsonl", 3)), files)
    assert [(row["check"], row["line"]) for row in quarantined(written)] == [("format", 5), ("conflict", 3)]
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl", "rows.quarantine.jsonl"]


def test_what_is_in_quarantine_is_not_read_as_data(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(encoded(".jsonl"))
    before = read_examples(str(tmp_path)).examples
    write_quarantine(finding("conflict", ("rows.jsonl", 1)), source_files_of(Data(examples=str(tmp_path))))
    assert quarantine_path(source).name.endswith(QUARANTINE_SUFFIX)
    assert read_examples(str(tmp_path)).examples == before and set(source_files_of(Data(examples=str(tmp_path)))) == {"rows.jsonl"}


def test_rows_of_a_hub_data_set_have_no_place_to_be_written_beside(tmp_path: Path) -> None:
    assert write_quarantine(finding("conflict", ("owner/set", 1)), source_files_of(Data(examples="owner/set"))) == []


@pytest.mark.parametrize("names", [("rows.jsonl", "rows.csv"), ("2026.01.jsonl", "2026.02.jsonl")])
def test_two_files_keep_their_rows_apart_in_quarantine(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        (tmp_path / name).write_bytes(encoded(f".{name.rpartition('.')[2]}"))
    written = write_quarantine(
        finding("conflict", *((name, 3) for name in names)), source_files_of(Data(examples=[str(tmp_path / n) for n in names]))
    )
    assert sum(len(quarantined(path)) for path in {copy.path for copy in written}) == 2


def test_a_quarantine_holds_the_rows_once_and_leaves_the_data_alone(tmp_path: Path) -> None:
    data = tmp_path / "a.jsonl"
    data.write_bytes(encoded(".jsonl"))
    before = data.read_bytes()
    rows = [FoundRow(file="a.jsonl", line=1, note="bad"), FoundRow(file="a.jsonl", line=3)]
    finding = StoredFinding(check="format", severity=Severity.BLOCK, message="2", action="fix", count=2, left_out=False, rows=rows)
    for check in ("format", "conflict", "format"):
        written = write_quarantine(finding.model_copy(update={"check": check}), {"a.jsonl": data})[0].path
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert sorted((line["check"], line["line"]) for line in lines) == [("conflict", 1), ("conflict", 3), ("format", 1), ("format", 3)]
    assert json.loads(lines[0]["row"].removeprefix("\ufeff")) == ROWS[0] and data.read_bytes() == before


def test_a_quarantine_file_is_taken_back_to_what_it_was_unless_someone_changed_it(tmp_path: Path) -> None:
    data = tmp_path / "a.jsonl"
    data.write_bytes(encoded(".jsonl"))
    files = {"a.jsonl": data}
    [first] = write_quarantine(finding("conflict", ("a.jsonl", 1)), files)
    [second] = write_quarantine(finding("format", ("a.jsonl", 3)), files)
    assert second.take_back() and [row["check"] for row in quarantined(second.path)] == ["conflict"]
    assert first.take_back() and not first.path.exists()
    [third] = write_quarantine(finding("conflict", ("a.jsonl", 1)), files)
    third.path.write_text(third.path.read_text() * 2)
    assert not third.take_back() and len(quarantined(third.path)) == 2
