"""What the audit step shows: the findings, what blocks first and what is settled last, and both rows of every duplicate and leak."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.report import FoundRow, Report, RowReference, StoredFinding
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.case.data import Data
from tuneproof.engine.data.source_rows import source_files_of, source_row_text
from tuneproof.engine.session.audit_decisions import (
    FindingStatus,
    finding_status,
    in_order,
)
from tuneproof.engine.session.progress import freeze_failed
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.finding_lines import both_rows, checked_line, finding_line, row_line, severities_line, what_to_do
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.row_sides import RowSides
from tuneproof.screens.step import StepScreen
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.sanitize import sanitize

ROWS_LISTED = 1000
"""More rows than anyone reads; audit.json has them all."""


class AuditList(StepScreen):
    """The findings, the rows of the highlighted one, and both sides of a row; `AuditScreen` has the keys that decide about them."""

    STEP = WizardStep.AUDIT

    def __init__(self) -> None:
        super().__init__()
        self._report: Report | None = None
        self._findings: list[StoredFinding] = []
        self._drawn: object = None
        self._mark: tuple[str, int] | None = None
        """The check of the highlighted finding, and which of its findings it is: the list changes around it."""
        self._row_mark: RowReference | None = None
        self._notice: tuple[str, bool] | None = None
        """What was said about the last key, and whether it is an error; it stays until the next one."""

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="findings")
        yield OptionList(id="found-rows")
        yield RowSides(id="sides")

    def on_mount(self) -> None:
        self.query_one("#found-rows").border_title = "Rows"
        self.query_one("#findings").focus()

    def on_screen_resume(self) -> None:
        if not self.session.is_frozen and not self.session.dry_run_is_current:
            self.wizard.start_dry_run()

    def show(self) -> None:
        self._report = self.session.last_report
        self._list_findings()
        self._show_status()

    def _list_findings(self) -> None:
        """Draws the findings, if they or the decisions about them have changed; the highlighted one stays highlighted."""
        self._findings = in_order(self._report.findings, self._data) if self._report else []
        decided = (self._data.leave_out, self._data.accept, self._data.split.group_by) if self._data else None
        if self._drawn == (id(self._report), decided):
            return
        self._drawn = (id(self._report), decided)
        self.refresh_bindings()
        listed = self.query_one("#findings", OptionList)
        listed.clear_options()
        findings = self._findings
        self.query_one("#found-rows").display = self.query_one("#sides").display = bool(findings)
        if self._report is None:
            listed.border_title, listed.border_subtitle = "The audit is not finished yet", ""
            return
        listed.border_title = f"{len(findings)} {plural(len(findings), 'finding', 'findings')} in {self._report.counts.rows:,} rows"
        listed.border_subtitle = severities_line(findings, self._data)
        listed.add_options([Option(finding_line(finding, self._data)) for finding in findings])
        if findings:
            at = next((at for at, mark in enumerate(self._marks()) if mark == self._mark), None)
            listed.highlighted = at or 0
            if at is None:
                # Its rows are settled: keys that were meant for them must not meet those of another finding.
                listed.focus()
        else:
            listed.add_option(Option(Meaning.DONE.signed("no findings: every check looked at every row"), disabled=True))
            listed.add_options([Option(checked_line(check), disabled=True) for check in CHECKS.values()])
            self._list_rows()

    @property
    def _data(self) -> Data | None:
        return self.session.draft.content.data

    def _marks(self) -> list[tuple[str, int]]:
        """What tells each finding from the others in every order and after every audit."""
        checks = [finding.check for finding in self._findings]
        return [(check, checks[:at].count(check)) for at, check in enumerate(checks)]

    @property
    def _highlighted(self) -> StoredFinding | None:
        at = self.query_one("#findings", OptionList).highlighted
        return self._findings[at] if at is not None and at < len(self._findings) else None

    @property
    def _highlighted_row(self) -> FoundRow | None:
        """The highlighted row, if the list of rows has the focus."""
        return self._row_shown if self.query_one("#found-rows").has_focus else None

    @property
    def _row_shown(self) -> FoundRow | None:
        at, finding = self.query_one("#found-rows", OptionList).highlighted, self._highlighted
        return finding.rows[at] if finding and at is not None and at < len(finding.rows) else None

    @on(OptionList.OptionHighlighted, "#findings")
    def _finding_highlighted(self) -> None:
        at = self.query_one("#findings", OptionList).highlighted
        marks = self._marks()
        mark = marks[at] if at is not None and at < len(marks) else self._mark
        if mark != self._mark:
            self._mark, self._row_mark = mark, None
            self._say("")
        self._list_rows()

    def _list_rows(self) -> None:
        listed = self.query_one("#found-rows", OptionList)
        listed.clear_options()
        finding = self._highlighted
        listed.border_subtitle = Content(sanitize(what_to_do(finding, self._data), one_line=True, max_length=70)) if finding else ""
        rows = finding.rows[:ROWS_LISTED] if finding else []
        listed.add_options([Option(row_line(row, self._data)) for row in rows])
        if not rows:
            if listed.has_focus:
                self.query_one("#findings").focus()
            self._show_sides(None)
            return
        at = next((at for at, row in enumerate(rows) if _place(row) == self._row_mark), 0)
        listed.highlighted = at
        self._show_sides(rows[at])

    @on(OptionList.OptionHighlighted, "#found-rows")
    def _row_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        finding = self._highlighted
        if finding is not None and event.option_index < len(finding.rows):
            row = finding.rows[event.option_index]
            if self._row_mark not in (None, _place(row)):
                self._say("")
            self._row_mark = _place(row)
            self._show_sides(row)

    @on(OptionList.OptionSelected, "#findings")
    def _opened(self) -> None:
        if self._highlighted is not None and self._highlighted.rows:
            self.query_one("#found-rows").focus()

    @on(OptionList.OptionSelected, "#found-rows")
    def _row_opened(self, event: OptionList.OptionSelected) -> None:
        finding = self._highlighted
        if finding is None:
            return
        self.app.push_screen(ReadingScreen(finding.message, both_rows(finding.rows[event.option_index], self._text)))

    def _show_sides(self, row: FoundRow | None) -> None:
        sides = self.query_one(RowSides)
        if row is None and self._highlighted is not None:
            sides.show_finding(self._highlighted)
        else:
            sides.show(row, self._text, keys=self.query_one("#found-rows").has_focus and not self.session.is_frozen)

    def on_descendant_focus(self) -> None:
        # In the list of rows, the same keys are about one row. A screen that is being removed has no list any more.
        if self.query("#found-rows") and (row := self._row_shown):
            self._show_sides(row)

    def _text(self, row: RowReference) -> str:
        path = source_files_of(self._data).get(row.file) if self._data else None
        return masked(source_row_text(path, row.line)) if path else "(not a file on this machine)"

    def _say(self, text: str, *, error: bool = False) -> None:
        """Says something about the last key in the status line; an empty text shows the state of the gate again."""
        self._notice = (text, error) if text else None
        self._show_status()

    def _show_status(self) -> None:
        if self._notice is not None:
            self.show_status(self._notice[0], error=self._notice[1])
        elif self.session.report is None or self._report is None:
            self._show_progress()
        elif self.session.is_frozen and (split := self.state.frozen) is not None:
            parts = f"{split.train} in train, {split.validation} in validation, {split.eval} in eval"
            self.show_status(f"the audit of what was frozen: {len(self._report.left_out)} rows left out, {parts}")
        elif blocking := sum(finding_status(finding, self._data) is FindingStatus.BLOCK for finding in self._findings):
            findings = f"{blocking} blocking {plural(blocking, 'finding', 'findings')}"
            self.show_status(f"the gate is closed: {findings}. Fix the file and press r, or press x to leave the rows out", error=True)
        else:
            left_out = len(self._report.left_out)
            rows = f"; {left_out} {plural(left_out, 'row is', 'rows are')} left out" if left_out else ""
            self.show_status(f"the gate is open{rows}: press c to continue")

    def _show_progress(self) -> None:
        state = self.state if self.session.is_frozen else self.wizard.dry_run_state
        last = self.session.decisions.last
        if state.failure is not None:
            self.show_status(state.failure.problem, error=True)
        elif freeze_failed(self.session, self.state):
            self.show_status("the worker ended before the audit was finished: press 4 to see how to resume", error=True)
        else:
            checking = "checking …"
            self.show_status(f"{last.what}; u undoes. {checking}" if last and self._report else checking)


def _place(row: RowReference) -> RowReference:
    return RowReference(file=row.file, line=row.line)
