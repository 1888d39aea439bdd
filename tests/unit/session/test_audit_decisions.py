"""What a person decides about a finding counts at once, and one decision replaces another."""

from __future__ import annotations

import pytest

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import FoundRow, StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.session.audit_decisions import (
    FindingStatus,
    finding_status,
    with_accepted,
    with_left_out_toggled,
    with_rows_left_out,
)
from tuneproof.engine.session.form_input import InputError

DATA = Data(examples="rows.jsonl")


def finding(*, rows: int = 1) -> StoredFinding:
    found = [FoundRow(file="rows.jsonl", line=line + 1) for line in range(rows)]
    return StoredFinding(
        check="conflict", severity=Severity.BLOCK, message="2 rows", action="fix them", count=rows, left_out=False, rows=found
    )


def test_a_decision_counts_before_the_audit_has_run_again() -> None:
    assert finding_status(finding(), DATA) is FindingStatus.BLOCK
    assert finding_status(finding(), with_rows_left_out(DATA, "conflict")) is FindingStatus.LEFT_OUT
    assert finding_status(finding(), with_accepted(DATA, "conflict", "both hold")) is FindingStatus.ACCEPTED


def test_leaving_rows_out_can_be_undone() -> None:
    left_out = with_left_out_toggled(DATA, finding())
    assert left_out.leave_out == ["conflict"]
    assert with_left_out_toggled(left_out, finding()) == DATA


def test_a_finding_without_rows_cannot_be_left_out() -> None:
    with pytest.raises(InputError, match="conflict has no rows to leave out: fix them"):
        with_left_out_toggled(DATA, finding(rows=0))


def test_accepting_a_finding_takes_its_rows_in_again() -> None:
    accepted = with_accepted(with_rows_left_out(DATA, "conflict"), "conflict", "both hold")
    assert (accepted.leave_out, accepted.accept) == ([], {"conflict": "both hold"})


def test_leaving_rows_out_withdraws_the_acceptance() -> None:
    left_out = with_rows_left_out(with_accepted(DATA, "conflict", "both hold"), "conflict")
    assert (left_out.leave_out, left_out.accept) == (["conflict"], {})


def test_an_empty_reason_withdraws_the_acceptance() -> None:
    assert with_accepted(with_accepted(DATA, "conflict", "both hold"), "conflict", "") == DATA


def test_other_decisions_are_kept() -> None:
    data = Data(examples="rows.jsonl", leave_out=["leakage"], accept={"duplicate": "rare"})
    assert with_rows_left_out(data, "conflict").leave_out == ["leakage", "conflict"]
    assert with_accepted(data, "conflict", "both hold").accept == {"duplicate": "rare", "conflict": "both hold"}
