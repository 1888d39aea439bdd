"""The plan of the open case as a page: what to do and why, what it takes, what it can show, and what is not known yet."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tuneproof.screens.overlay import Overlay
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.page_text import page_content


class PlanScreen(Overlay[None]):
    """The plan, as `tuneproof plan` prints it; escape, q or P closes it, y copies it to the clipboard and to a file."""

    HELP_TEXT = """
**The plan**: what to do for this case and why, written from your answers, your files, this machine, and what was measured so far. It is the
same page as `plan.md` in the run folder and as `tuneproof plan` prints, and is written anew whenever you open it.

- Before the baselines have run, `tuneproof plan CASE.yaml` knows more: it also counts what each method trains of the base, and predicts its
  memory. With `--measure` it measures a few training steps for the hours.
- The arrow keys scroll; y copies the page.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("q,P", "dismiss(None)", show=False),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="reading") as scroll:
            scroll.border_title = "The plan"
            yield Static(page_content(self._page))
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_copy(self) -> None:
        from tuneproof.tui.clipboard import copy

        self.notify(f"copied, and written to {copy(self.app, self._page)}", markup=False)
