"""Step 3: what is wrong with the data, most severe first, with both rows of every duplicate and leak."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.quarantine import write_quarantine
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import FoundRow, Report, StoredFinding
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.pace import progress_text
from tuneproof.engine.data.source_rows import source_files_of, source_row_text
from tuneproof.engine.run.state import RunState
from tuneproof.engine.session.audit_decisions import (
    FindingStatus,
    finding_status,
    with_accepted,
    with_left_out_toggled,
    with_rows_left_out,
)
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.progress import freeze_failed
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.ask import AskText
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

MARKS = {Severity.BLOCK: "■", Severity.WARN: "▲", Severity.INFO: "·"}

ROWS_LISTED = 1000
"""More rows than anyone reads; audit.json has them all."""


class AuditScreen(StepScreen):
    """Shows the findings, and records what the user decides about each."""

    STEP = WizardStep.AUDIT
    HELP_TEXT = """
**Is the data good enough to train on and to measure with?** Every check looks at every row.

- ■ **block**: the gate is closed until you fix the rows in the file, leave them out, or accept the finding. ▲ **warn**: shown on the
  card. · **info**: for your information.
- **Leakage**: a training row that is also an eval row. The score would then measure memory, not skill.
- **Conflict**: the same request with two different answers. Whatever the model answers, one of the rows counts it as wrong.
- **Duplicate**: a request that occurs twice counts double.
- **Format**: an answer in another format than the task asks for teaches the drift that you want to cure.
- **Leave out** (x): this case does not use the rows that the check found. **Quarantine** (w): the same, and a copy of the rows is written
  beside the data, for you to look at and fix. Your file is never edited. **Accept** (a): you keep the rows and give a reason, which the
  card shows.
- Private data and secrets are masked on the screen.

i explains the highlighted check. enter goes from a finding to its rows, escape goes back.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "leave_out", "Leave out"),
        Binding("w", "quarantine", "Quarantine"),
        Binding("a", "accept", "Accept"),
        Binding("i", "explain", "Explain"),
        Binding("r", "audit_again", "Again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._report: Report | None = None
        self._highlighted_check: str | None = None

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="findings")
        yield OptionList(id="found-rows")
        with Horizontal(id="sides"):
            with VerticalScroll(id="this", classes="panel fill"):
                yield MemoizedStatic(id="this-row")
            with VerticalScroll(id="other", classes="panel fill"):
                yield MemoizedStatic(id="other-row")

    def on_mount(self) -> None:
        self.query_one("#found-rows").border_title = "Rows"
        self.query_one("#findings").focus()

    def on_screen_resume(self) -> None:
        if not self.session.is_frozen and not self.session.dry_run_is_current:
            self.wizard.start_dry_run()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action in ("leave_out", "quarantine", "accept", "audit_again") and self.session.is_frozen)

    def show(self) -> None:
        report = self.session.report
        if report != self._report or report is None:
            self._report = report
            self._list_findings()
        self._show_gate()

    def _list_findings(self) -> None:
        listed = self.query_one("#findings", OptionList)
        listed.clear_options()
        findings = self._findings
        self.query_one("#found-rows").display = self.query_one("#sides").display = bool(findings)
        if self._report is None:
            listed.border_title = "The audit is not finished yet"
            return
        counted = f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} in {self._report.counts.rows:,} rows"
        listed.border_title = counted
        listed.border_subtitle = ", ".join(f"{self._report.count(severity)} {severity}" for severity in Severity)
        for number, finding in enumerate(findings):
            listed.add_option(Option(_finding_line(finding, finding_status(finding, self._data)), id=str(number)))
        if findings:
            # A decision about a finding moves it in the list; it stays highlighted.
            listed.highlighted = next((at for at, finding in enumerate(findings) if finding.check == self._highlighted_check), 0)
        else:
            listed.add_option(Option("no findings", disabled=True))
            self._list_rows()

    @property
    def _data(self) -> Data | None:
        return self.session.draft.content.data

    @property
    def _findings(self) -> list[StoredFinding]:
        return self._report.findings if self._report else []

    @property
    def _highlighted(self) -> StoredFinding | None:
        at = self.query_one("#findings", OptionList).highlighted
        return self._findings[at] if at is not None and at < len(self._findings) else None

    @on(OptionList.OptionHighlighted, "#findings")
    def _list_rows(self) -> None:
        listed = self.query_one("#found-rows", OptionList)
        listed.clear_options()
        finding = self._highlighted
        self._highlighted_check = finding.check if finding else self._highlighted_check
        listed.border_subtitle = Content(sanitize(_what_to_do(finding), one_line=True, max_length=70)) if finding else ""
        if finding is None:
            self._show_sides(None)
            return
        for row in finding.rows[:ROWS_LISTED]:
            twin = f" = {row.of.file}:{row.of.line}" if row.of else ""
            note = f"  {row.note}" if row.note else ""
            listed.add_option(Option(sanitized_content(f"{row.file}:{row.line}{twin}{note}", one_line=True, max_length=200)))
        if finding.rows:
            listed.highlighted = 0
        self._show_sides(finding.rows[0] if finding.rows else None)

    @on(OptionList.OptionHighlighted, "#found-rows")
    def _row_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        finding = self._highlighted
        if finding is not None and event.option_index < len(finding.rows):
            self._show_sides(finding.rows[event.option_index])

    @on(OptionList.OptionSelected, "#findings")
    def _opened(self) -> None:
        self.query_one("#found-rows").focus()

    @on(OptionList.OptionSelected, "#found-rows")
    def _row_opened(self, event: OptionList.OptionSelected) -> None:
        finding = self._highlighted
        if finding is None:
            return
        row = finding.rows[event.option_index]
        parts = [f"{row.file}:{row.line}  {row.note}", self._text(row.file, row.line)]
        if row.of:
            parts += ["", f"{row.of.file}:{row.of.line}", self._text(row.of.file, row.of.line)]
        self.app.push_screen(ReadingScreen(finding.message, "\n".join(parts)))

    def _show_sides(self, row: FoundRow | None) -> None:
        this, other = self.query_one("#this"), self.query_one("#other")
        other.display = row is not None and row.of is not None
        if row is None and self._highlighted is not None:
            # The message of a finding about the data as a whole rarely fits into its line.
            this.border_title = Content(self._highlighted.check)
            self.query_one("#this-row", Static).update(
                sanitized_content(f"{self._highlighted.message}.\n\nWhat to do: {self._highlighted.action}.")
            )
            return
        this.border_title = Content(sanitize(f"{row.file}:{row.line}", one_line=True)) if row else ""
        text = sanitized_content(self._text(row.file, row.line)) if row else Content("")
        note = [Content.styled(sanitize(row.note, one_line=True, max_length=160), "bold")] if row and row.note else []
        self.query_one("#this-row", Static).update(Content("\n").join([*note, text]))
        if row and row.of:
            other.border_title = Content(sanitize(f"{row.of.file}:{row.of.line}", one_line=True))
            self.query_one("#other-row", Static).update(sanitized_content(self._text(row.of.file, row.of.line)))

    def _text(self, file: str, line: int) -> str:
        path = source_files_of(self._data).get(file) if self._data else None
        return masked(source_row_text(path, line)) if path else "(not a file on this machine)"

    def _show_gate(self) -> None:
        if self._report is None:
            self._show_progress()
        elif blocking := len(self._report.blocking()):
            findings = f"{blocking} blocking {plural(blocking, 'finding', 'findings')}"
            self.show_status(f"the gate is closed: {findings}. Fix the file and press r, or press x to leave the rows out", error=True)
        else:
            left_out = len(self._report.left_out)
            self.show_status(f"the gate is open{f'; {left_out} rows are left out' if left_out else ''}: press c to continue")

    def _show_progress(self) -> None:
        state = self.state if self.session.is_frozen else self.wizard.dry_run_state
        if state.failure is not None:
            self.show_status(state.failure.message, error=True)
        elif freeze_failed(self.session, self.state):
            self.show_status("the worker ended before the audit was finished: press 4 to see how to resume", error=True)
        else:
            self.show_status(_auditing(state))

    def action_leave_out(self) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return
        try:
            self._save(with_left_out_toggled(data, finding))
        except InputError as error:
            self.show_error(str(error))

    def action_quarantine(self) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return
        try:
            written = write_quarantine(finding, source_files_of(data))
        except TuneproofError as error:
            self.show_error(str(error), title="Quarantine")
            return
        except OSError as error:
            self.show_error(f"the quarantine file cannot be written: {error}", title="Quarantine")
            return
        self._save(with_rows_left_out(data, finding.check))
        self.notify(sanitize(f"{len(finding.rows)} rows written to {', '.join(map(str, written))}", one_line=True), markup=False)

    def action_accept(self) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return

        def entered(reason: str | None) -> None:
            if reason is not None and self._data is not None:
                self._save(with_accepted(self._data, finding.check, reason.strip()))

        why = f"{finding.message}.\n\nWhy is this acceptable? The card shows your reason. Leave it empty to withdraw it."
        self.app.push_screen(AskText(f"Accept: {finding.check}", why, data.accept.get(finding.check, "")), entered)

    def action_explain(self) -> None:
        finding = self._highlighted
        if finding is not None:
            check = CHECKS.get(finding.check)
            text = f"{check.help if check else ''}\n\n{finding.message}\n\nWhat to do: {finding.action}."
            self.app.push_screen(ReadingScreen(f"{finding.check}: {finding.severity}", text))

    def action_audit_again(self) -> None:
        self._report = None
        self.wizard.start_dry_run()
        self.refresh_all()

    def action_leave_field(self) -> None:
        self.query_one("#findings").focus()

    def _save(self, data: Data) -> None:
        """Saves a decision about a finding, and audits again."""
        if self.save_sections(data=data):
            self.wizard.start_dry_run()
            self.refresh_all()


def _auditing(state: RunState) -> str:
    """What the audit does, and how far it has come."""
    if (now := state.auditing) is not None:
        return sanitize(progress_text(now.doing, now.rows, now.share, now.rows_per_second, now.seconds_left), one_line=True)
    return f"auditing: {state.checking} …" if state.checking else "auditing …"


def _what_to_do(finding: StoredFinding) -> str:
    return f"accepted: {finding.accepted}" if finding.accepted is not None else finding.action


def _finding_line(finding: StoredFinding, status: FindingStatus) -> Content:
    text = sanitize(finding.message, one_line=True, max_length=120)
    style = "bold" if finding.closes_the_gate else ""
    return Content.styled(f"{MARKS[finding.severity]} {finding.check:<18} {status:<8}  {text}", style)
