"""The dialog on leaving while a run is in progress."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.screens.overlay import Overlay


class Leave(StrEnum):
    """What to do with a run in progress when the user leaves."""

    RUNNING = "leave it running"
    STOP = "stop it at the next checkpoint"
    STAY = "stay here"


class QuitScreen(Overlay[Leave]):
    """Asks what to do with the run in progress; the default leaves it running."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", f"choose('{Leave.RUNNING.name}')", "Leave running"),
        Binding("s", f"choose('{Leave.STOP.name}')", "Stop"),
        Binding("escape,n", f"choose('{Leave.STAY.name}')", "Stay"),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "A run is in progress"
            yield Static(f"The worker continues without this screen. To come back:\n\n  tuneproof attach {self._run}\n", markup=False)
            yield OptionList(
                Option("l  leave it running", id=Leave.RUNNING.name),
                Option("s  stop it at the next checkpoint; it can be resumed", id=Leave.STOP.name),
                Option("n  stay here", id=Leave.STAY.name),
            )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Leave[str(event.option.id)])

    def action_choose(self, name: str) -> None:
        self.dismiss(Leave[name])
