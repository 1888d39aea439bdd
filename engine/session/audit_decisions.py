"""What a person decides about the findings of the audit: leave rows out, take them back in, or accept the finding for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.left_out import BY_HAND, NO_SUCH_ROW, row_of
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import RowReference, StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.data.example import Source
from tuneproof.engine.session.form_input import InputError


class FindingStatus(StrEnum):
    """What was decided about a finding, or its severity if nothing was decided."""

    LEFT_OUT = "left out"
    ACCEPTED = "accepted"
    GROUPED = "grouped"
    BLOCK = Severity.BLOCK.value
    WARN = Severity.WARN.value
    INFO = Severity.INFO.value

    @property
    def is_settled(self) -> bool:
        """Whether something was decided."""
        return self in (FindingStatus.LEFT_OUT, FindingStatus.ACCEPTED, FindingStatus.GROUPED)


def finding_status(finding: StoredFinding, data: Data | None) -> FindingStatus:
    """The status of a finding; a decision counts at once, before the audit has run again."""
    decided = finding.rows and data is not None and finding.check in data.leave_out
    if decided or (finding.rows and _always_left_out(finding)):
        return FindingStatus.LEFT_OUT
    if data is not None and finding.check in data.accept:
        return FindingStatus.ACCEPTED
    if data is not None and finding.group_by is not None and data.split.group_by == finding.group_by:
        return FindingStatus.GROUPED
    return FindingStatus(CHECKS[finding.check].severity if finding.check in CHECKS else finding.severity)


def in_order(findings: Iterable[StoredFinding], data: Data | None) -> list[StoredFinding]:
    """The findings that nobody has decided about, the most severe first, and then the others."""
    order = list(Severity)

    def place(finding: StoredFinding) -> tuple[bool, int]:
        status = finding_status(finding, data)
        return status.is_settled, order.index(Severity(status)) if not status.is_settled else 0

    return sorted(findings, key=place)


def is_row_left_out(row: RowReference, data: Data | None) -> bool:
    """Whether a row is left out by itself; the decision counts at once."""
    return data is not None and _name(row) in data.leave_out


def with_rows_left_out(data: Data, finding: StoredFinding) -> Data:
    """The data without the rows of a finding, which is no longer accepted.

    Raises InputError if the finding has no rows, or if they are left out already.
    """
    if not finding.rows:
        raise InputError(f"{finding.check} has no rows to leave out: {finding.action}")
    if finding_status(finding, data) is FindingStatus.LEFT_OUT:
        raise InputError(f"the rows of {finding.check} are left out already")
    kept = _undecided(data, finding.check)
    return kept.model_copy(update={"leave_out": [*kept.leave_out, finding.check]})


def with_row_left_out(data: Data, row: RowReference, finding: StoredFinding) -> Data:
    """The data without one row of a finding, or the row that it is a duplicate or leak of. Raises InputError if it is left out already."""
    with_its_finding = row in finding.rows and finding_status(finding, data) is FindingStatus.LEFT_OUT
    if is_row_left_out(row, data) or with_its_finding:
        raise InputError(f"{_name(row)} is left out already")
    return data.model_copy(update={"leave_out": [*data.leave_out, _name(row)]})


def with_rows_put_back(data: Data, finding: StoredFinding, findings: Sequence[StoredFinding]) -> Data:
    """The data with nothing decided about a finding. Raises InputError if nothing was, or if its rows cannot be used at all.

    Rows to leave out that are not there are taken off the list; `findings` are those of the whole audit, which tell them from the others.
    """
    if finding.check == BY_HAND:
        return _without_rows(data, finding.rows)
    if finding.check == NO_SUCH_ROW and finding.check not in data.accept:
        there = {_name(row) for each in findings if each.check == BY_HAND for row in each.rows}
        kept = [entry for entry in data.leave_out if row_of(entry) is None or entry in there]
        return data.model_copy(update={"leave_out": kept})
    if finding.rows and _always_left_out(finding):
        raise InputError(f"the rows of {finding.check} cannot be used, so they are always left out: {finding.action}")
    if finding_status(finding, data) is FindingStatus.GROUPED:
        return data.model_copy(update={"split": data.split.model_copy(update={"group_by": None})})
    if not finding_status(finding, data).is_settled:
        raise InputError(f"nothing is decided about {finding.check} yet")
    return _undecided(data, finding.check)


def with_row_put_back(data: Data, row: RowReference) -> Data:
    """The data with one row that was left out by itself. Raises InputError if it was not."""
    if not is_row_left_out(row, data):
        raise InputError(f"{_name(row)} is not left out by itself")
    return _without_rows(data, [row])


def with_groups_together(data: Data, finding: StoredFinding) -> Data:
    """The data with a split that keeps the groups of a finding together. Raises InputError if the finding names none, or if that is so."""
    if finding.group_by is None:
        raise InputError(f"{finding.check} names no groups to keep together: {finding.action}")
    if data.split.group_by == finding.group_by:
        raise InputError(f"the split keeps the rows of each {finding.group_by} together already")
    return _undecided(data, finding.check).model_copy(update={"split": data.split.model_copy(update={"group_by": finding.group_by})})


def with_accepted(data: Data, check: str, reason: str) -> Data:
    """The data with a check accepted for a reason, or no longer accepted if the reason is empty."""
    kept = _undecided(data, check)
    return kept.model_copy(update={"accept": {**kept.accept, check: reason}}) if reason else kept


def _without_rows(data: Data, rows: Iterable[RowReference]) -> Data:
    gone = {_name(row) for row in rows}
    return data.model_copy(update={"leave_out": [entry for entry in data.leave_out if entry not in gone]})


def _undecided(data: Data, check: str) -> Data:
    left_out = [entry for entry in data.leave_out if entry != check]
    accepted = {name: reason for name, reason in data.accept.items() if name != check}
    return data.model_copy(update={"leave_out": left_out, "accept": accepted})


def _always_left_out(finding: StoredFinding) -> bool:
    return finding.check in CHECKS and CHECKS[finding.check].always_leaves_out


def _name(row: RowReference) -> str:
    """The row as `data.leave_out` names it."""
    return str(Source(row.file, row.line))
