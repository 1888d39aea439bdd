"""What a person decides about the findings of the audit: leave the rows out, or accept the finding for a reason."""

from __future__ import annotations

from enum import StrEnum

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.session.form_input import InputError


class FindingStatus(StrEnum):
    """What was decided about a finding, or its severity if nothing was decided."""

    LEFT_OUT = "left out"
    ACCEPTED = "accepted"
    BLOCK = Severity.BLOCK.value
    WARN = Severity.WARN.value
    INFO = Severity.INFO.value


def finding_status(finding: StoredFinding, data: Data | None) -> FindingStatus:
    """The status of a finding; a decision counts at once, before the audit has run again."""
    if finding.left_out or (data is not None and finding.check in data.leave_out):
        return FindingStatus.LEFT_OUT
    if finding.accepted is not None or (data is not None and finding.check in data.accept):
        return FindingStatus.ACCEPTED
    return FindingStatus(finding.severity.value)


def with_rows_left_out(data: Data, check: str) -> Data:
    """The data without the rows that a check found; the check is no longer accepted."""
    kept = _undecided(data, check)
    return kept.model_copy(update={"leave_out": [*kept.leave_out, check]})


def with_left_out_toggled(data: Data, finding: StoredFinding) -> Data:
    """The data with the rows of a finding left out, or with them in again. Raises InputError if the finding has no rows."""
    if finding.check in data.leave_out:
        return _undecided(data, finding.check)
    if not finding.rows:
        raise InputError(f"{finding.check} has no rows to leave out: {finding.action}")
    return with_rows_left_out(data, finding.check)


def with_accepted(data: Data, check: str, reason: str) -> Data:
    """The data with a check accepted for a reason, or no longer accepted if the reason is empty."""
    kept = _undecided(data, check)
    return kept.model_copy(update={"accept": {**kept.accept, check: reason}}) if reason else kept


def _undecided(data: Data, check: str) -> Data:
    left_out = [name for name in data.leave_out if name != check]
    accepted = {name: reason for name, reason in data.accept.items() if name != check}
    return data.model_copy(update={"leave_out": left_out, "accept": accepted})
