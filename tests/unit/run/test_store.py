"""What may still be chosen in a run whose eval set is frozen, and what the audit's rows look like where they stand."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from tests.conftest import Result
from tuneproof.engine.audit.quarantine import write_quarantine
from tuneproof.engine.audit.report import FoundRow, StoredFinding
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.training import MethodChoice
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.files import RawRow, read_file
from tuneproof.engine.data.source_rows import source_row_text
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.case_changes import CaseChange, compare_cases
from tuneproof.engine.scoring.predictions import read_predictions


@pytest.fixture
def run(finished: tuple[Path, Result], tmp_path: Path) -> RunStore:
    shutil.copytree(finished[0], tmp_path / "run")
    return RunStore(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target": Target(at_least=0.1)}, "frozen under another `target`"),
        ({"baselines": ["zero_shot"]}, "few_shot is scored already"),
        ({"method": MethodChoice(name="auto", even_if_met=True)}, "training has begun"),
    ],
)
def test_what_was_measured_stays_what_it_was(run: RunStore, change: dict[str, Any], told: str) -> None:
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(GateClosed, match=told):
        run.amend(run.case.model_copy(update=change))
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_before_training_the_method_may_change_and_is_planned_anew(run: RunStore) -> None:
    shutil.rmtree(run.path / "training")
    wanted = run.case.model_copy(update={"method": MethodChoice(name="auto")})
    run.amend(wanted)
    assert run.case == wanted and not {StepId(StepKind.METHOD), StepId(StepKind.CARD)} & run.manifest.steps.keys()
    assert StepId.arm("zero_shot") in run.manifest.steps


def test_each_case_that_changed_is_fixed_still_wrong_or_newly_wrong(run: RunStore) -> None:
    before, after = (read_predictions(run.read(f"arms/{arm}/predictions.jsonl")) for arm in ("few_shot", "tuned"))
    changes = [case.change for case in compare_cases(before, after)]
    assert [changes.count(kind) for kind in (CaseChange.FIXED, CaseChange.STILL_WRONG, CaseChange.NEWLY_WRONG)] == [41, 5, 0]
    assert {case.change for case in compare_cases(after, before)} == {CaseChange.NEWLY_WRONG, CaseChange.STILL_WRONG}


ROWS = [{"input": f"row {i}\nof two lines, with a comma", "output": f"é{i}"} for i in range(5)]


def _jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def _csv(path: Path) -> None:
    path.write_text("input,output\n" + "".join(f'"{row["input"]}",{row["output"]}\n' for row in ROWS))


def _array(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=1))


def _gzip(path: Path) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))


def _parquet(path: Path) -> None:
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize(
    ("name", "write"), [("a.jsonl", _jsonl), ("a.csv", _csv), ("a.json", _array), ("a.jsonl.gz", _gzip), ("a.parquet", _parquet)]
)
def test_the_row_that_is_shown_is_the_row_that_was_read(tmp_path: Path, name: str, write: Any) -> None:
    write(tmp_path / name)
    read = [row for row in read_file(tmp_path / name) if isinstance(row, RawRow)]
    assert [json.loads(source_row_text(tmp_path / name, row.line)) for row in read] == ROWS
    assert source_row_text(tmp_path / name, 10_000) == ""


def test_a_quarantine_holds_the_rows_once_and_leaves_the_data_alone(tmp_path: Path) -> None:
    data = tmp_path / "a.jsonl"
    _jsonl(data)
    before = data.read_bytes()
    rows = [FoundRow(file="a.jsonl", line=2, note="bad"), FoundRow(file="a.jsonl", line=4)]
    finding = StoredFinding(check="format", severity="block", message="2", action="mend", count=2, left_out=False, rows=rows)
    for check in ("format", "conflict", "format"):
        [written] = write_quarantine(finding.model_copy(update={"check": check}), {"a.jsonl": data})
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert sorted((line["check"], line["line"]) for line in lines) == [("conflict", 2), ("conflict", 4), ("format", 2), ("format", 4)]
    assert json.loads(lines[0]["row"]) == ROWS[1] and data.read_bytes() == before
