"""Small dialogs: a line of text, a longer text, and a choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitized_content


class AskLine(ModalScreen[str | None]):
    """Asks for one line of text; returns None if the user presses escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, why: str, value: str = "", placeholder: str = "") -> None:
        super().__init__()
        self._title, self._why, self._value, self._placeholder = title, why, value, placeholder

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._why))
            yield Input(self._value, placeholder=self._placeholder)
            yield Static("enter saves, escape cancels", classes="hint")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class AskText(ModalScreen[str | None]):
    """Asks for a text of several lines; returns None if the user presses escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2,ctrl+s", "save", "Save", priority=True),
        Binding("escape", "dismiss(None)", "Cancel", priority=True),
    ]

    def __init__(self, title: str, why: str, value: str) -> None:
        super().__init__()
        self._title, self._why, self._value = title, why, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._why))
            yield TextArea(self._value, show_line_numbers=True, tab_behavior="focus")
            yield KeyLine()

    def action_save(self) -> None:
        self.dismiss(self.query_one(TextArea).text)


class AskChoice(ModalScreen[str | None]):
    """Asks for one of a few words, each with its meaning; returns None if the user presses escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, why: str, choices: Sequence[tuple[str, str]], chosen: str | None = None) -> None:
        super().__init__()
        self._title, self._why, self._choices, self._chosen = title, why, list(choices), chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._why))
            width = max(len(word) for word, _ in self._choices)
            yield OptionList(*(Option(sanitized_content(f"{word:<{width}}  {meaning}"), id=word) for word, meaning in self._choices))
            yield Static("enter saves, escape cancels", classes="hint")

    def on_mount(self) -> None:
        words = [word for word, _ in self._choices]
        if self._chosen in words:
            self.query_one(OptionList).highlighted = words.index(self._chosen)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(str(event.option.id))
