"""The ways to answer a finding, and how a case file gives each; the wizard has keys for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, auto

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.report import StoredFinding


class Answer(Enum):
    """What a person can do about a finding."""

    FIX = auto()
    LEAVE_OUT = auto()
    LEAVE_ROWS_OUT = auto()
    """Only some of the rows."""
    KEEP_TOGETHER = auto()
    """Split by the groups that were found."""
    ACCEPT = auto()


def answers_to(finding: StoredFinding) -> list[Answer]:
    """The answers that a finding allows: without rows there is nothing to leave out, and some rows always are."""
    check = CHECKS.get(finding.check)
    if check is not None and check.always_leaves_out:
        return [Answer.FIX]
    if finding.group_by is not None:
        return [Answer.KEEP_TOGETHER, Answer.ACCEPT]
    return [Answer.FIX, *([Answer.LEAVE_OUT, Answer.LEAVE_ROWS_OUT] if finding.rows else []), Answer.ACCEPT]


def in_a_case_file(findings: Sequence[StoredFinding]) -> str:
    """The answers to findings that block, as they are given in a case file."""
    allowed = {answer: _checks(each for each in findings if answer in answers_to(each)) for answer in Answer}
    words = {
        Answer.FIX: "fix the rows",
        Answer.LEAVE_OUT: f"set data.leave_out: [{allowed[Answer.LEAVE_OUT]}]",
        Answer.LEAVE_ROWS_OUT: "name single rows there, as file:line",
        Answer.KEEP_TOGETHER: " and ".join(f"set data.split.group_by: {each.group_by}" for each in findings if each.group_by is not None),
        Answer.ACCEPT: f"give a reason for {allowed[Answer.ACCEPT]} under data.accept",
    }
    return ", or ".join(words[answer] for answer in Answer if allowed[answer])


def _checks(findings: Iterable[StoredFinding]) -> str:
    return ", ".join(dict.fromkeys(finding.check for finding in findings))
