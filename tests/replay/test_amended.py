"""After a refused audit the fixed case goes on in its folder, and what was done from other inputs is done again and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import WriteCase, WriteJsonl, tuneproof
from tests.replay.test_exit_codes import DECISION, TASK, rows


@pytest.mark.long
def test_after_a_refused_audit_the_case_goes_on_with_rows_left_out(write_case: WriteCase, write_jsonl: WriteJsonl, tmp_path: Path) -> None:
    write_jsonl([*rows(40), {"input": "is 4 EVEN?", "output": "no"}])
    case = write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}})
    run = ("--run-dir", tmp_path / "run")
    assert tuneproof("--replay", case, *run).code == 3
    left_out = ("--set", "data.leave_out=[conflict]")
    fixed = tuneproof("--replay", case, *run, "--resume", *left_out)
    assert fixed.code == 0, fixed.err
    assert "audit: done again, because this changed: settings" in fixed.err
    assert fixed.err.count("already done with the same inputs") == 1, "the route is kept"
    assert tuneproof("verify", tmp_path / "run").code == 0
    again = tuneproof("--replay", case, *run, "--resume", *left_out, "--allow-large")
    assert again.code == 0 and "done again" not in again.err
    refused = tuneproof("--replay", case, *run, "--resume")
    assert refused.code == 3 and "the eval set is frozen under another `data`" in refused.err


@pytest.mark.long
def test_after_a_refused_audit_fixed_rows_are_audited_again(write_case: WriteCase, write_jsonl: WriteJsonl, tmp_path: Path) -> None:
    write_jsonl([*rows(40), {"input": "is 4 EVEN?", "output": "no"}])
    case = write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}})
    assert tuneproof("--replay", case, "--run-dir", tmp_path / "run").code == 3
    write_jsonl(rows(40))
    fixed = tuneproof("--replay", case, "--run-dir", tmp_path / "run", "--resume")
    assert fixed.code == 0 and "done again, because this changed: data rows.jsonl" in fixed.err
    write_jsonl(rows(41))
    refused = tuneproof("--replay", case, "--run-dir", tmp_path / "run", "--resume")
    assert refused.code == 3 and "was made from other inputs" in refused.err
    (tmp_path / "rows.jsonl").unlink()
    gone = tuneproof("--replay", case, "--run-dir", tmp_path / "run", "--resume")
    assert gone.code == 3 and "rows.jsonl: the data file is gone" in gone.err
