"""This machine: what it can run, and what to do about what it cannot; the lines of `tuneproof doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.screens.overlay import Overlay
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

if TYPE_CHECKING:
    from tuneproof.engine.doctor.line import Condition, Line


class DoctorScreen(Overlay[None]):
    """What was found, group by group; escape closes it, y copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("q,m", "dismiss(None)", show=False),
        Binding("r", "look", "Look again"),
        Binding("y", "copy", "Copy"),
    ]

    _found: Sequence[Line] = ()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="reading") as scroll:
            scroll.border_title = "This machine"
            yield Static(id="machine-lines")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.action_look()

    def action_look(self) -> None:
        self.query_one("#machine-lines", Static).update("looking at the machine; importing torch takes seconds …")
        self._look()

    @work(thread=True, exclusive=True)
    def _look(self) -> None:
        from tuneproof.engine.doctor.look import look
        from tuneproof.tui.terminal import terminal_lines

        # The terminal is drawn on, so that it cannot be asked.
        lines = [*look(), *terminal_lines(ask=False)]
        self.app.call_from_thread(self._show, lines)

    def _show(self, lines: Sequence[Line]) -> None:
        if self.is_mounted:
            self._found = lines
            self.query_one("#machine-lines", Static).update(machine_content(lines))

    def action_copy(self) -> None:
        from tuneproof.tui.clipboard import copy
        from tuneproof.tui.doctor_text import text

        path = copy(self.app, text(self._found, "this machine"))
        self.notify(f"copied, and written to {path}", markup=False)


def machine_content(lines: Sequence[Line]) -> Content:
    """The lines by group, each with a sign and a colour for its condition, and below it what to do."""
    from tuneproof.tui.doctor_text import HEADS, summary

    parts = [Content(summary(lines))]
    for group, members in groupby(lines, key=lambda line: line.group):
        parts += [Content(""), Meaning.HEADING.text(HEADS[group]), *map(_line, members)]
    return Content("\n").join(parts)


def _line(line: Line) -> Content:
    meaning = _meaning(line.condition)
    shown = Content.assemble(
        *(" ", meaning.signed(f"{line.condition:<8}"), f"{sanitize(line.name, one_line=True):<18} "),
        sanitized_content(line.found, one_line=True),
    )
    if not line.todo:
        return shown
    return Content("\n").join([shown, Content.styled(f"     → {sanitize(line.todo, one_line=True)}", Meaning.MUTED.style)])


def _meaning(condition: Condition) -> Meaning:
    from tuneproof.engine.doctor.line import Condition

    return {Condition.GOOD: Meaning.DONE, Condition.LIMITED: Meaning.WARN, Condition.MISSING: Meaning.ERROR}[condition]
