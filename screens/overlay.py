"""What everything has in common that opens over a step: dialogs, lists of files, texts."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, ScreenResultType


class Overlay(ModalScreen[ScreenResultType]):
    """A modal screen with the keys that work everywhere: Textual asks the app for none of its keys while one is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "app.help", "Help", show=False),
    ]

    def action_copy_text(self) -> None:
        """Copies what is selected with the mouse; if nothing is, says how to leave."""
        if self.get_selected_text() is None:
            self.app.action_help_quit()
        else:
            super().action_copy_text()
