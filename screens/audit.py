"""Step 3: what is wrong with the data, most severe first, with both sides of every duplicate and leak."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.quarantine import write_quarantine
from tuneproof.engine.audit.registry import CHECKS, Severity
from tuneproof.engine.audit.report import FoundRow, Report, StoredFinding
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.rows_at import files_by_label, row_text
from tuneproof.engine.session.steps import Step
from tuneproof.screens.ask import AskLine
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

MARKS = {Severity.BLOCK: "■", Severity.WARN: "▲", Severity.INFO: "·"}

ROWS_LISTED = 1000
"""A finding of a million rows is looked at by its first; audit.json has them all."""


class AuditScreen(StepScreen):
    """Shows the findings and takes what is to be done about them."""

    STEP = Step.AUDIT
    HELP_TEXT = """
**Is the data fit to be learned from, and to be measured with?** Every check looks at every row.

- ■ **block**: the gate is closed until the rows are mended in the file or left out. ▲ **warn**: told on the card.
  · **info**: for you to know.
- **Leakage**: a row to learn from that is also an eval row. The score would then measure memory, not skill.
- **Conflict**: the same request with two different answers. Whatever the model says, one row calls it wrong.
- **Duplicate**: a request that stands there twice weighs double.
- **Format**: an answer that is not what the task asks for teaches the very drift you want to cure.
- **Leave out** (x): the rows of this check go no further in this case. **Quarantine** (w): the same, and a copy of the rows is written
  beside the data, to be looked at and mended. Your file is never edited. **Accept** (a): the finding is lived with, for a reason that
  the card shows.
- Private data and secrets are shown masked.

i explains the check that is marked. enter goes from a finding to its rows, escape comes back.
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
        self._marked_check: str | None = None

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
        if not self.session.is_frozen and not self.session.trial_is_current:
            self.wizard.start_dry_run()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action in ("leave_out", "quarantine", "accept", "audit_again") and self.session.is_frozen)

    def show(self) -> None:
        report = self.session.report
        if report != self._report or report is None:
            self._report = report
            self._list_findings()
        self._say_the_gate()

    def _list_findings(self) -> None:
        listed = self.query_one("#findings", OptionList)
        listed.clear_options()
        findings = self._findings
        self.query_one("#found-rows").display = self.query_one("#sides").display = bool(findings)
        if self._report is None:
            listed.border_title = "The audit has not ended yet"
            return
        counted = f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} in {self._report.counts.rows:,} rows"
        listed.border_title = counted
        listed.border_subtitle = ", ".join(f"{self._report.count(severity)} {severity}" for severity in Severity)
        for number, finding in enumerate(findings):
            listed.add_option(Option(_finding_line(finding, self._state_of(finding)), id=str(number)))
        if findings:
            # What is done about a finding moves it; the mark goes with it.
            listed.highlighted = next((at for at, finding in enumerate(findings) if finding.check == self._marked_check), 0)
        else:
            listed.add_option(Option("nothing was found", disabled=True))
            self._list_rows()

    def _state_of(self, finding: StoredFinding) -> str:
        """What is done about a finding, once the choice just made has been taken in; else how severe it is."""
        data = self.session.draft.content.data
        if finding.left_out or (data and finding.check in data.leave_out):
            return "left out"
        return "accepted" if finding.accepted is not None or (data and finding.check in data.accept) else finding.severity.value

    @property
    def _findings(self) -> list[StoredFinding]:
        return self._report.findings if self._report else []

    @property
    def _marked(self) -> StoredFinding | None:
        at = self.query_one("#findings", OptionList).highlighted
        return self._findings[at] if at is not None and at < len(self._findings) else None

    @on(OptionList.OptionHighlighted, "#findings")
    def _list_rows(self) -> None:
        listed = self.query_one("#found-rows", OptionList)
        listed.clear_options()
        finding = self._marked
        self._marked_check = finding.check if finding else self._marked_check
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
    def _row_marked(self, event: OptionList.OptionHighlighted) -> None:
        finding = self._marked
        if finding is not None and event.option_index < len(finding.rows):
            self._show_sides(finding.rows[event.option_index])

    @on(OptionList.OptionSelected, "#findings")
    def _opened(self) -> None:
        self.query_one("#found-rows").focus()

    @on(OptionList.OptionSelected, "#found-rows")
    def _row_opened(self, event: OptionList.OptionSelected) -> None:
        finding = self._marked
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
        if row is None and self._marked is not None:
            # What a finding without rows says of the data as a whole seldom fits into its line.
            this.border_title = Content(self._marked.check)
            self.query_one("#this-row", Static).update(sanitized_content(f"{self._marked.message}.\n\nWhat to do: {self._marked.action}."))
            return
        this.border_title = Content(sanitize(f"{row.file}:{row.line}", one_line=True)) if row else ""
        text = sanitized_content(self._text(row.file, row.line)) if row else Content("")
        note = [Content.styled(sanitize(row.note, one_line=True, max_length=160), "bold")] if row and row.note else []
        self.query_one("#this-row", Static).update(Content("\n").join([*note, text]))
        if row and row.of:
            other.border_title = Content(sanitize(f"{row.of.file}:{row.of.line}", one_line=True))
            self.query_one("#other-row", Static).update(sanitized_content(self._text(row.of.file, row.of.line)))

    def _text(self, file: str, line: int) -> str:
        data = self.session.draft.content.data
        path = files_by_label(data).get(file) if data else None
        return masked(row_text(path, line)) if path else "(not a file on this machine)"

    def _say_the_gate(self) -> None:
        if self._report is None:
            state = self.state if self.session.is_frozen else self.wizard.dry_run_state
            broken = self.session.freeze_broke_off(self.state)
            under_way = f"auditing: {state.checking} …" if state.checking else "auditing …"
            told = "the worker ended before the audit had: 4 says how to go on" if broken else under_way
            self.say(state.failure.message if state.failure else told, error=broken or state.failure is not None)
            return
        blocking = len(self._report.blocking())
        if blocking:
            self.say(f"the gate is closed: {blocking} of these block. Mend the file and press r, or leave the rows out: x", error=True)
        else:
            left = len(self._report.left_out)
            self.say(f"the gate is open{f'; {left} rows are left out' if left else ''}: c goes on")

    def action_leave_out(self) -> None:
        finding = self._marked
        data = self.session.draft.content.data
        if finding is None or data is None:
            return
        leaves_out = finding.check not in data.leave_out
        if leaves_out and not finding.rows:
            self.complain(f"{finding.check} has no rows to leave out: {finding.action}")
            return
        self._decide(finding.check, leave_out=leaves_out)

    def action_quarantine(self) -> None:
        finding = self._marked
        data = self.session.draft.content.data
        if finding is None or data is None:
            return
        try:
            written = write_quarantine(finding, files_by_label(data))
        except TuneproofError as error:
            self.attempt("Quarantine", error)
            return
        except OSError as error:
            self.complain(f"the quarantine file cannot be written: {error}")
            return
        self._decide(finding.check, leave_out=True)
        self.notify(sanitize(f"{len(finding.rows)} rows written to {', '.join(map(str, written))}", one_line=True), markup=False)

    def action_accept(self) -> None:
        finding = self._marked
        data = self.session.draft.content.data
        if finding is None or data is None:
            return
        why = f"{finding.message}.\n\nWhy can this be lived with? The card shows the reason. An empty line takes it back."

        def taken(reason: str | None) -> None:
            if reason is not None:
                self._decide(finding.check, reason=reason.strip())

        self.app.push_screen(AskLine(f"Accept: {finding.check}", why, data.accept.get(finding.check, "")), taken)

    def action_explain(self) -> None:
        finding = self._marked
        if finding is not None:
            check = CHECKS.get(finding.check)
            why = check.help if check else ""
            self.app.push_screen(
                ReadingScreen(f"{finding.check}: {finding.severity}", f"{why}\n\n{finding.message}\n\nWhat to do: {finding.action}.")
            )

    def action_audit_again(self) -> None:
        self._report = None
        self.wizard.start_dry_run()
        self.refresh_all()

    def action_leave_field(self) -> None:
        self.query_one("#findings").focus()

    def _decide(self, check: str, *, leave_out: bool = False, reason: str = "") -> None:
        """Leaves the rows of a check out, or accepts them for a reason, or neither; and audits again."""
        data = self.session.draft.content.data
        assert data is not None
        kept = [name for name in data.leave_out if name != check]
        accepted = {name: why for name, why in data.accept.items() if name != check}
        update = {
            "leave_out": [*kept, check] if leave_out else kept,
            "accept": {**accepted, check: reason} if reason and not leave_out else accepted,
        }
        try:
            self.session.draft.choose(data=data.model_copy(update=update))
        except TuneproofError as error:
            self.attempt("Audit", error)
            return
        self.wizard.start_dry_run()
        self.refresh_all()


def _what_to_do(finding: StoredFinding) -> str:
    return f"accepted: {finding.accepted}" if finding.accepted is not None else finding.action


def _finding_line(finding: StoredFinding, state: str) -> Content:
    text = sanitize(finding.message, one_line=True, max_length=120)
    style = "bold" if finding.closes_the_gate else ""
    return Content.styled(f"{MARKS[finding.severity]} {finding.check:<18} {state:<8}  {text}", style)
