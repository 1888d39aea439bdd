"""A row beside the row that it is a duplicate or leak of."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from tuneproof.engine.audit.report import FoundRow, RowReference, StoredFinding
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content


class RowSides(Horizontal):
    """One panel, or two for a pair of rows, each with the key that leaves it out."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="this", classes="panel fill"):
            yield MemoizedStatic(id="this-row")
        with VerticalScroll(id="other", classes="panel fill"):
            yield MemoizedStatic(id="other-row")

    def show(self, row: FoundRow | None, text_of: Callable[[RowReference], str], *, keys: bool) -> None:
        """Shows a row, and the row that it is compared with if there is one; with `keys`, those that leave each out."""
        other = row.of if row else None
        self.query_one("#other").display = other is not None
        self._show_side("this", row, text_of, "x" if keys and other else "")
        if other is not None:
            self._show_side("other", other, text_of, "o" if keys else "")

    def show_finding(self, finding: StoredFinding) -> None:
        """Shows a finding about the data as a whole, whose message rarely fits into its line."""
        self.query_one("#other").display = False
        panel = self.query_one("#this")
        panel.border_title, panel.border_subtitle = Content(finding.check), ""
        self.query_one("#this-row", MemoizedStatic).update(sanitized_content(f"{finding.message}.\n\nWhat to do: {finding.action}."))

    def _show_side(self, side: str, row: RowReference | None, text_of: Callable[[RowReference], str], key: str) -> None:
        panel = self.query_one(f"#{side}")
        panel.border_title = Content(sanitize(f"{row.file}:{row.line}", one_line=True)) if row else ""
        panel.border_subtitle = f"{key} leaves this row out" if key else ""
        note = [Meaning.WARN.text(sanitize(row.note, one_line=True, max_length=160))] if isinstance(row, FoundRow) and row.note else []
        text = sanitized_content(text_of(row)) if row else Content("")
        self.query_one(f"#{side}-row", MemoizedStatic).update(Content("\n").join([*note, text]))
