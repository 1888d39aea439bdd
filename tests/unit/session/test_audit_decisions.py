"""What a person decides about a finding counts at once, and one decision replaces another."""

from __future__ import annotations

import pytest

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import FoundRow, StoredFinding
from tuneproof.engine.case.data import Data, SplitShares
from tuneproof.engine.session.audit_decisions import (
    FindingStatus,
    finding_status,
    in_order,
    is_row_left_out,
    with_accepted,
    with_groups_together,
    with_row_left_out,
    with_row_put_back,
    with_rows_left_out,
    with_rows_put_back,
)
from tuneproof.engine.session.decision_history import Decision, DecisionHistory
from tuneproof.engine.session.form_input import InputError

DATA = Data(examples="rows.jsonl")


def finding(check: str = "conflict", *, rows: int = 1) -> StoredFinding:
    found = [FoundRow(file="rows.jsonl", line=line + 1) for line in range(rows)]
    return StoredFinding(check=check, severity=Severity.BLOCK, message="2 rows", action="fix them", count=rows, left_out=False, rows=found)


def test_a_decision_counts_before_the_audit_has_run_again() -> None:
    assert finding_status(finding(), DATA) is FindingStatus.BLOCK
    assert finding_status(finding(), with_rows_left_out(DATA, finding())) is FindingStatus.LEFT_OUT
    assert finding_status(finding(), with_accepted(DATA, "conflict", "both hold")) is FindingStatus.ACCEPTED
    # The audit has run, and its rows are put back.
    assert finding_status(finding().model_copy(update={"left_out": True, "severity": Severity.WARN}), DATA) is FindingStatus.BLOCK


def test_what_blocks_comes_first_and_what_is_settled_last() -> None:
    data = Data(examples="rows.jsonl", leave_out=["conflict"], accept={"duplicate": "rare"})
    found = [finding("conflict"), finding("duplicate"), finding("imbalance", rows=0), finding("format"), finding("near-duplicate")]
    assert [each.check for each in in_order(found, data)] == ["format", "near-duplicate", "imbalance", "conflict", "duplicate"]


def test_leaving_out_what_is_left_out_changes_nothing_and_putting_back_does() -> None:
    left_out = with_rows_left_out(DATA, finding())
    assert left_out.leave_out == ["conflict"]
    with pytest.raises(InputError, match="the rows of conflict are left out already"):
        with_rows_left_out(left_out, finding())
    with pytest.raises(InputError, match=r"rows.jsonl:1 is left out already"):
        with_row_left_out(left_out, finding().rows[0], finding())
    assert with_rows_put_back(left_out, finding(), []) == DATA
    with pytest.raises(InputError, match="nothing is decided about conflict yet"):
        with_rows_put_back(DATA, finding(), [])


def test_a_single_row_is_left_out_and_put_back() -> None:
    one = with_row_left_out(DATA, finding().rows[0], finding())
    assert one.leave_out == ["rows.jsonl:1"] and is_row_left_out(finding().rows[0], one)
    assert finding_status(finding(), one) is FindingStatus.BLOCK, "the finding is judged again without the row"
    assert with_row_put_back(one, finding().rows[0]) == DATA
    assert with_rows_put_back(one, finding("by-hand"), []) == DATA


def test_rows_that_are_not_there_are_taken_off_the_list_and_the_others_stay() -> None:
    data = Data(examples="rows.jsonl", leave_out=["rows.jsonl:1", "conflict", "gone.jsonl:3"])
    missing = finding("no-such-row", rows=0)
    assert with_rows_put_back(data, missing, [missing, finding("by-hand")]).leave_out == ["rows.jsonl:1", "conflict"]


def test_rows_that_cannot_be_used_cannot_be_put_back() -> None:
    with pytest.raises(InputError, match="cannot be used, so they are always left out: fix them"):
        with_rows_put_back(DATA, finding("unreadable"), [])


def test_a_finding_without_rows_cannot_be_left_out() -> None:
    with pytest.raises(InputError, match="conflict has no rows to leave out: fix them"):
        with_rows_left_out(DATA, finding(rows=0))


def test_accepting_a_finding_takes_its_rows_in_again() -> None:
    accepted = with_accepted(with_rows_left_out(DATA, finding()), "conflict", "both hold")
    assert (accepted.leave_out, accepted.accept) == ([], {"conflict": "both hold"})


def test_leaving_rows_out_withdraws_the_acceptance() -> None:
    left_out = with_rows_left_out(with_accepted(DATA, "conflict", "both hold"), finding())
    assert (left_out.leave_out, left_out.accept) == (["conflict"], {})


def test_an_empty_reason_withdraws_the_acceptance() -> None:
    assert with_accepted(with_accepted(DATA, "conflict", "both hold"), "conflict", "") == DATA


def test_other_decisions_are_kept() -> None:
    data = Data(examples="rows.jsonl", leave_out=["leakage", "rows.jsonl:7"], accept={"duplicate": "rare"})
    assert with_rows_left_out(data, finding()).leave_out == ["leakage", "rows.jsonl:7", "conflict"]
    assert with_accepted(data, "conflict", "both hold").accept == {"duplicate": "rare", "conflict": "both hold"}


def test_decisions_are_taken_back_one_by_one_but_not_over_what_was_changed_elsewhere() -> None:
    history, first = DecisionHistory(), with_rows_left_out(DATA, finding())
    second = with_accepted(first, "duplicate", "rare")
    history.record(Decision("conflict left out", "conflict", DATA, first))
    history.record(Decision("duplicate accepted", "duplicate", first, second))
    other_shares = second.model_copy(update={"split": SplitShares(train=0.5, validation=0.25, eval=0.25)})
    undone = history.take_back(other_shares).data
    assert (undone.leave_out, undone.accept, undone.split) == (["conflict"], {}, other_shares.split)
    assert history.take_back(undone).data.leave_out == []
    with pytest.raises(InputError, match="nothing to undo"):
        history.take_back(DATA)
    history.record(Decision("conflict left out", "conflict", DATA, first))
    with pytest.raises(InputError, match="changed elsewhere"):
        history.take_back(second)
    assert history.last is None


def test_groups_that_were_found_are_kept_together_and_that_is_taken_back() -> None:
    groups = finding("split-groups", rows=0).model_copy(update={"group_by": "conversation_id"})
    together = with_groups_together(DATA, groups)
    assert together.split == SplitShares(group_by="conversation_id")
    assert finding_status(groups, together) is FindingStatus.GROUPED and finding_status(groups, DATA) is FindingStatus.WARN
    assert with_rows_put_back(together, groups, []) == DATA
    with pytest.raises(InputError, match="keeps the rows of each conversation_id together already"):
        with_groups_together(together, groups)
    with pytest.raises(InputError, match="conflict names no groups"):
        with_groups_together(DATA, finding())


def test_keeping_groups_together_can_be_undone() -> None:
    history, groups = DecisionHistory(), finding("split-groups", rows=0).model_copy(update={"group_by": "user"})
    together = with_groups_together(DATA, groups)
    history.record(Decision("rows of each user kept together", "split-groups", DATA, together))
    assert history.take_back(together).data == DATA
