"""Texts over the whole terminal: help, a log, a data row."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.screens.overlay import Overlay
from tuneproof.tui.widgets.help_text import help_content
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitized_content

KEYS = """
**On every screen**: 1 to 8 go to a step, c continues, backspace goes back, h goes home, k shows every key of the case file, P the plan,
? explains the screen, q quits (and asks what to do with a run in progress), ctrl+p lists all commands and themes.
"""


class ReadingScreen(Overlay[None]):
    """A text; escape or q closes it, y copies it to the clipboard and to a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("q,question_mark", "dismiss(None)", show=False),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, title: str, text: str | Content, *, to_copy: str | None = None) -> None:
        super().__init__()
        self._title, self._text = title, text
        self._to_copy = to_copy if to_copy is not None else text if isinstance(text, str) else text.plain

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="reading") as scroll:
            scroll.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._text) if isinstance(self._text, str) else self._text)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_copy(self) -> None:
        from tuneproof.tui.clipboard import copy

        path = copy(self.app, self._to_copy)
        self.notify(f"copied, and written to {path}", markup=False)


class HelpScreen(Overlay[None]):
    """The terms and keys of one screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("q,question_mark,f1", "dismiss(None)", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="reading") as scroll:
            scroll.border_title = sanitized_content(self._title, one_line=True)
            yield Static(help_content(f"{self._text}\n\n{KEYS}"))
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
