"""Step 3: what is wrong with the data, and what the user decides about each finding and row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tuneproof.engine.audit.quarantine import QuarantineCopy, write_quarantine
from tuneproof.engine.audit.report import RowReference, StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.source_rows import source_files_of
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
from tuneproof.screens.ask import AskText
from tuneproof.screens.audit_help import AUDIT_HELP
from tuneproof.screens.audit_list import AuditList
from tuneproof.screens.finding_lines import explanation
from tuneproof.screens.reading import ReadingScreen


class AuditScreen(AuditList):
    """Shows the findings, and records what the user decides about each."""

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
        Binding("z", "trace", "One request", show=False),
    ]
    DECISIONS: ClassVar[frozenset[str]] = frozenset(
        {"leave_out", "quarantine", "accept", "keep_together", "undo", "put_back", "leave_other_out", "audit_again"}
    )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo" and self.session.decisions.last is None:
            return False
        if action in ("leave_out", "quarantine", "accept", "explain") and not self._findings:
            return False
        return not (action in self.DECISIONS and self.session.is_frozen)

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

    def action_trace(self) -> None:
        """Shows the highlighted row, or the first of the highlighted finding, token by token."""
        row = self._highlighted_row or (next(iter(self._highlighted.rows), None) if self._highlighted is not None else None)
        self.show_trace(place=f"{row.file}:{row.line}" if row is not None else None)

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
