"""The parts of a split are audited as they are, with the number of eval rows that each finding is about."""

from __future__ import annotations

from tests.unit.audit.checks.leak_rows import row
from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.split_audit import CHECKS_OF_PARTS, audit_split


def test_every_check_of_parts_is_a_check() -> None:
    assert set(CHECKS_OF_PARTS) <= CHECKS.keys()


def test_rows_of_one_conversation_in_both_parts_are_a_finding_with_the_number_of_eval_rows() -> None:
    rows = [row(i, f"request {i} about something", metadata={"conversation_id": f"c{i // 4}"}) for i in range(80)]
    train, scored = [each for at, each in enumerate(rows) if at % 4], rows[::4]
    found = audit_split(train, scored, None, {}).findings
    assert [each.check for each in found] == ["group-leakage"]
    assert found[0].message == "20 of 20 eval rows share their conversation_id with 60 training rows"
    assert "data.split.group_by=conversation_id" in found[0].action and found[0].accepted is None
    assert audit_split(train, scored, None, {"group-leakage": "new users only"}).findings[0].accepted == "new users only"


def test_parts_that_keep_conversations_together_have_no_finding() -> None:
    rows = [row(i, f"request {i} about something", metadata={"conversation_id": f"c{i // 4}"}) for i in range(80)]
    assert audit_split(rows[:60], rows[60:], None, {}).findings == []
