"""The audit compares the test files of a folder with its train files, as it does those of `--against`; what is not read is a finding."""

from __future__ import annotations

import json
from pathlib import Path

from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit_runs.local import AuditCallbacks, audit_files
from tuneproof.engine.case.schema import DraftCase


def written(folder: Path, **parts: range) -> str:
    for name, numbers in parts.items():
        rows = [{"input": f"what is the capital of country number {n}", "output": f"city {n}"} for n in numbers]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)


def audited(*files: str, against: tuple[str, ...] = (), case: DraftCase | None = None) -> Report:
    callbacks = AuditCallbacks(on_file=lambda file, shape, rows: None, on_check=lambda check: None)
    return audit_files(files, against, Shingle.W3, case, callbacks)


def test_a_test_file_of_a_folder_is_compared_and_not_pooled(tmp_path: Path) -> None:
    report = audited(written(tmp_path, train=range(20), valid=range(30, 35), test=range(18, 24)))
    assert report.counts.rows == 25 and report.counts.leaked_rows["test.jsonl"].norm == 2
    found = {finding.check: finding for finding in report.findings}
    assert [row.file for row in found["leakage"].rows] == ["train.jsonl", "train.jsonl"]
    assert {finding.message for finding in report.findings if finding.check == "named-parts"} == {
        "taken for eval by name: test.jsonl",
        "taken for validation by name: valid.jsonl",
    }


def test_files_that_are_listed_are_pooled_as_before(tmp_path: Path) -> None:
    folder = Path(written(tmp_path, train=range(20), test=range(20, 24)))
    assert audited(str(folder / "train.jsonl"), str(folder / "test.jsonl")).counts.rows == 24


def test_lines_that_are_not_read_are_counted_in_the_finding(tmp_path: Path) -> None:
    rows = "".join(f"ask number {n} about it,billing\n" for n in range(20))
    broken = '"over two\n\nlines "with" marks",x\n"never closed,x\n'
    (tmp_path / "rows.csv").write_text(f"input,output\n{rows}{broken}{rows.replace('ask', 'say')}")
    found = {finding.check: finding for finding in audited(str(tmp_path)).findings}
    assert found["unreadable"].message == "2 rows cannot be read, over 4 lines"
