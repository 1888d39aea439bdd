"""Step 3: what is wrong with the data: what blocks first, what is settled last, with both rows of every duplicate and leak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.quarantine import QuarantineCopy, write_quarantine
from tuneproof.engine.audit.report import FoundRow, Report, RowReference, StoredFinding
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.source_rows import source_files_of, source_row_text
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
from tuneproof.engine.session.decision_history import Decision
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.progress import freeze_failed
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.ask import AskText
from tuneproof.screens.audit_help import AUDIT_HELP
from tuneproof.screens.finding_lines import both_rows, explanation, finding_line, row_line, severities_line, what_to_do
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.row_sides import RowSides
from tuneproof.screens.step import StepScreen
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.sanitize import sanitize

ROWS_LISTED = 1000
"""More rows than anyone reads; audit.json has them all."""


class AuditScreen(StepScreen):
    """Shows the findings, and records what the user decides about each."""

    STEP = WizardStep.AUDIT
    HELP_TEXT = AUDIT_HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "leave_out", "Leave out"),
        Binding("w", "quarantine", "Set aside"),
        Binding("a", "accept", "Accept"),
        Binding("t", "keep_together", "Keep groups together", show=False),
        Binding("u", "undo", "Undo"),
        Binding("i", "explain", "Why"),
        Binding("b", "put_back", "Put back", show=False),
        Binding("o", "leave_other_out", "Leave the other row out", show=False),
        Binding("r", "audit_again", "Again", show=False),
    ]
    DECISIONS: ClassVar[frozenset[str]] = frozenset(
        {"leave_out", "quarantine", "accept", "keep_together", "undo", "put_back", "leave_other_out", "audit_again"}
    )

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo" and self.session.decisions.last is None:
            return False
        if action in ("leave_out", "quarantine", "accept", "explain") and not self._findings:
            return False
        return not (action in self.DECISIONS and self.session.is_frozen)

    # What is shown.

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

    # What the user decides.

    def action_leave_out(self) -> None:
        finding, row = self._highlighted, self._highlighted_row
        if row is not None:
            self._leave_row_out(row)
        elif finding is not None and self._data is not None:
            try:
                self._decide(f"{finding.check} left out", finding, with_rows_left_out(self._data, finding))
            except InputError as error:
                self._say(f"{error} (b puts them back)" if finding.rows else str(error), error=True)

    def action_keep_together(self) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return
        try:
            decided = with_groups_together(data, finding)
        except InputError as error:
            self._say(str(error), error=True)
            return
        self._decide(f"rows of each {decided.split.group_by} kept together", finding, decided)

    def action_leave_other_out(self) -> None:
        row = self._highlighted_row
        if row is None or row.of is None:
            self._say("o leaves out the other of two rows: press enter to go to the rows of a conflict, a duplicate or a leak")
        else:
            self._leave_row_out(row.of)

    def _leave_row_out(self, row: RowReference) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return
        try:
            self._decide(f"{row.file}:{row.line} left out", finding, with_row_left_out(data, row, finding))
        except InputError as error:
            self._say(f"{error} (b puts it back)", error=True)

    def action_put_back(self) -> None:
        finding, data, row = self._highlighted, self._data, self._highlighted_row
        if finding is None or data is None:
            return
        sides = [row, row.of] if row is not None and row.of is not None else [row] if row is not None else []
        single = next((side for side in sides if is_row_left_out(side, data)), None)
        try:
            if single is not None:
                self._decide(f"{single.file}:{single.line} put back", finding, with_row_put_back(data, single))
            else:
                self._decide(f"{finding.check} put back", finding, with_rows_put_back(data, finding, self._findings))
        except InputError as error:
            self._say(str(error), error=True)

    def action_quarantine(self) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return
        try:
            decided = data if finding_status(finding, data) is FindingStatus.LEFT_OUT else with_rows_left_out(data, finding)
            copies = write_quarantine(finding, source_files_of(data))
        except InputError as error:
            self._say(str(error), error=True)
            return
        except (TuneproofError, OSError) as error:
            self.app.push_screen(ReadingScreen("The file of set-aside rows cannot be written", str(error)))
            return
        self._decide(f"{finding.check} set aside", finding, decided, copies)
        written = ", ".join(dict.fromkeys(copy.path.name for copy in copies))
        self._say(
            f"{len(finding.rows)} rows written to {written}; u undoes" if copies else "left out; there is no file to copy them beside"
        )

    def action_accept(self) -> None:
        finding, data = self._highlighted, self._data
        if finding is None or data is None:
            return

        def entered(reason: str | None) -> None:
            if reason is not None and self._data is not None:
                decided = with_accepted(self._data, finding.check, reason.strip())
                self._decide(f"{finding.check} {'accepted' if reason.strip() else 'put back'}", finding, decided)

        why = f"{finding.message}.\n\nWhy is this acceptable? The card shows your reason. Leave it empty to withdraw it."
        self.app.push_screen(AskText(f"Accept: {finding.check}", why, data.accept.get(finding.check, "")), entered)

    def action_undo(self) -> None:
        if self._data is None:
            return
        try:
            undone = self.session.decisions.take_back(self._data)
        except InputError as error:
            self._say(str(error), error=True)
            return
        except OSError as error:
            self.app.push_screen(ReadingScreen("The file of set-aside rows cannot be changed", str(error)))
            return
        if self._save(undone.data):
            self._mark = (undone.decision.check, 0)
            self._check_again()
            kept = f"; {', '.join(path.name for path in undone.files_kept)} was changed since and stays" if undone.files_kept else ""
            self._say(f"undone: {undone.decision.what}{kept}")

    def action_explain(self) -> None:
        finding = self._highlighted
        if finding is not None:
            row = self._highlighted_row or next(iter(finding.rows), None)
            text = explanation(finding, row, self._text, self._data)
            self.app.push_screen(ReadingScreen(f"{finding.check}: {finding_status(finding, self._data)}", text))

    def action_audit_again(self) -> None:
        self._check_again()

    def action_leave_field(self) -> None:
        if self.maximized is not None:
            super().action_leave_field()
        else:
            self.query_one("#findings").focus()

    def _decide(self, what: str, finding: StoredFinding, data: Data, copies: Sequence[QuarantineCopy] = ()) -> None:
        """Saves a decision, marks what still blocks, and audits again."""
        before = self._data
        if before is None or (data == before and not copies) or not self._save(data):
            return
        self.session.decisions.record(Decision(what, finding.check, before, data, copies))
        self._notice = None
        first = next((each for each in in_order(self._findings, data) if self._blocks(each)), None)
        if first is not None and self._highlighted_row is None and not self._blocks(finding):
            self._mark, self._row_mark = (first.check, 0), None
        self._check_again()

    def _blocks(self, finding: StoredFinding) -> bool:
        return finding_status(finding, self._data) is FindingStatus.BLOCK

    def _save(self, data: Data) -> bool:
        try:
            self.session.draft.choose(data=data)
        except TuneproofError as error:
            self.app.push_screen(ReadingScreen("The decision cannot be saved", str(error)))
            return False
        return True

    def _check_again(self) -> None:
        self.wizard.start_dry_run()
        if not self.session.dry_run_is_current:
            why = self.session.why_no_dry_run
            self._say(f"saved, but not checked again: {why!s}" if why else "saved, but not checked again", error=True)
        self.refresh_all()


def _place(row: RowReference) -> RowReference:
    return RowReference(file=row.file, line=row.line)
