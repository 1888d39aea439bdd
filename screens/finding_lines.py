"""The lines of the audit step: a finding, one of its rows, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from tuneproof.engine.audit.answers import Answer, answers_to
from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.registry import Check, Severity
from tuneproof.engine.audit.report import FoundRow, RowReference, StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.session.audit_decisions import FindingStatus, finding_status, is_row_left_out
from tuneproof.engine.session.wizard_words import in_wizard
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

EXAMPLE_CHARACTERS = 600

KEYS = {
    Answer.FIX: "r  checks again, once you have fixed the rows in the file",
    Answer.LEAVE_OUT: "x  leaves all these rows out; w the same, with a copy of them in a file beside the data",
    Answer.LEAVE_ROWS_OUT: "enter  goes to the rows, where x leaves out one of them, and o the row that it is compared with",
    Answer.KEEP_TOGETHER: "t  keeps the rows of each group together, in one part of the split",
    Answer.ACCEPT: "a  keeps them, for a reason that the card shows",
}
"""How each answer to a finding is given in the wizard."""

MARKS = {
    FindingStatus.BLOCK: Meaning.BLOCK,
    FindingStatus.WARN: Meaning.WARN,
    FindingStatus.INFO: Meaning.INFO,
    FindingStatus.LEFT_OUT: Meaning.DONE,
    FindingStatus.ACCEPTED: Meaning.DONE,
    FindingStatus.GROUPED: Meaning.DONE,
}


def finding_line(finding: StoredFinding, data: Data | None) -> Content:
    """The mark, the check, what was decided or the severity, and the message."""
    status = finding_status(finding, data)
    text = sanitize(finding.message, one_line=True, max_length=120)
    mark = MARKS[status]
    style = Meaning.MUTED.style if status.is_settled else "bold" if status is FindingStatus.BLOCK else ""
    return Content.assemble(mark.text(mark.sign), Content.styled(f" {finding.check:<18} {status:<8}  {text}", style))


def checked_line(check: Check) -> Content:
    """A check that found nothing, and what it looked for."""
    looked_for = in_wizard(check.help.partition(". ")[0])
    return Meaning.MUTED.text(f"  {check.name:<18} {looked_for}")


def severities_line(findings: list[StoredFinding], data: Data | None) -> str:
    """How many findings of each severity nobody has decided about."""
    statuses = [finding_status(finding, data) for finding in findings]
    return ", ".join(f"{statuses.count(FindingStatus(severity))} {severity}" for severity in Severity)


def row_line(row: FoundRow, data: Data | None) -> Content:
    """The row, the row that it is a duplicate or leak of, what is wrong with it, and whether either is left out by itself."""
    twin = f" = {_place(row.of, data)}" if row.of else ""
    note = f"  {row.note}" if row.note else ""
    style = Meaning.MUTED.style if is_row_left_out(row, data) else ""
    return sanitized_content(f"{_place(row, data)}{twin}{note}", style, one_line=True, max_length=200)


def what_to_do(finding: StoredFinding, data: Data | None) -> str:
    """What to do about a finding, or how to take back what was done."""
    match finding_status(finding, data):
        case FindingStatus.ACCEPTED if data is not None:
            return f"accepted (b takes it back): {data.accept[finding.check]}"
        case FindingStatus.LEFT_OUT if data is not None and finding.check in data.leave_out:
            return "left out: b takes the rows back in"
        case FindingStatus.GROUPED:
            return f"the split keeps the rows of each {finding.group_by} together: b takes it back"
        case _:
            return finding.action


def explanation(finding: StoredFinding, row: FoundRow | None, text_of: Callable[[RowReference], str], data: Data | None) -> str:
    """What the check looks for and why it matters, with an example from the rows that it found, and what to do."""
    check = CHECKS.get(finding.check)
    parts = [check.help if check else "", f"Here: {finding.message}."]
    if row is not None:
        parts.append(_example(row, text_of))
    parts.append(f"What to do: {what_to_do(finding, data)}.")
    if not finding_status(finding, data).is_settled:
        parts.append("\n".join(KEYS[answer] for answer in answers_to(finding)))
    return "\n\n".join(part for part in parts if part)


def both_rows(row: FoundRow, text_of: Callable[[RowReference], str]) -> str:
    """One row whole, and the row that it is compared with."""
    parts = [f"{row.file}:{row.line}  {row.note}", text_of(row)]
    if row.of:
        parts += ["", f"{row.of.file}:{row.of.line}", text_of(row.of)]
    return "\n".join(parts)


def _example(row: FoundRow, text_of: Callable[[RowReference], str]) -> str:
    """One row, and the row that it is compared with."""
    lines = [f"For example {row.file}:{row.line}{': ' + row.note if row.note else ''}", shortened(text_of(row))]
    if row.of is not None:
        lines += [f"compared with {row.of.file}:{row.of.line}", shortened(text_of(row.of))]
    return "\n".join(lines)


def shortened(text: str) -> str:
    """The beginning of a text that may be long."""
    return text if len(text) <= EXAMPLE_CHARACTERS else f"{text[:EXAMPLE_CHARACTERS]} …"


def _place(row: RowReference, data: Data | None) -> str:
    return f"{row.file}:{row.line}{' (left out)' if is_row_left_out(row, data) else ''}"
