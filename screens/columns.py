"""Choosing the columns of the request and of the answer, with the first rows in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.case.data import Columns
from tuneproof.engine.session.column_choice import Column, ColumnChoice, Part
from tuneproof.screens.overlay import Overlay
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

NONE, DETECT = "none of them", "no columns: recognise the shape by its keys"
NAME_WIDTH = 20


@dataclass(frozen=True)
class Picked:
    """What was chosen; None for no columns: the shape is recognised."""

    columns: Columns | None


class ColumnsScreen(Overlay[Picked | None]):
    """Asks for the columns one after the other; returns None if the user presses escape."""

    HELP_TEXT = """
**Which column is which?** First choose the one with the request, then the one with the answer that you want, then the one with an
instruction for each row, if there is one. The values of the first row stand beside the names, and those of the highlighted column below.
backspace takes the last choice back.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose"),
        Binding("backspace", "back", "Back one"),
        Binding("escape", "dismiss(None)", "Cancel"),
    ]

    def __init__(self, columns: Sequence[Column], *, has_columns: bool) -> None:
        super().__init__()
        self._columns, self._has_columns = list(columns), has_columns
        self._choice = ColumnChoice()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield Static(id="columns-asked")
            yield OptionList(id="columns-listed")
            with VerticalScroll(id="column-values", classes="panel"):
                yield Static(id="column-text", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = "Columns"
        self._show()
        self.query_one("#columns-listed").focus()

    def _show(self) -> None:
        asked = self._choice.asks_for
        assert asked is not None
        self.query_one("#columns-asked", Static).update(self._question(asked))
        listed = self.query_one("#columns-listed", OptionList)
        listed.clear_options()
        # The options are found by their position: a column may have any name.
        listed.add_options([Option(_line(column)) for column in self._choice.left(self._columns)])
        if asked is Part.INSTRUCTION:
            listed.add_option(Option(NONE, id=NONE))
        elif asked is Part.INPUT and self._has_columns:
            listed.add_option(Option(DETECT, id=DETECT))
        listed.highlighted = listed.option_count - 1 if asked is Part.INSTRUCTION else 0

    def _question(self, asked: Part) -> Content:
        chosen = [f"{part.value}: {name}" for part, name in ((Part.INPUT, self._choice.input), (Part.OUTPUT, self._choice.output)) if name]
        question = Content.assemble("Which column has ", (asked.value, "bold"), "?")
        return Content("\n").join(
            [question, *([sanitized_content("; ".join(chosen), Meaning.MUTED.style, one_line=True)] if chosen else [])]
        )

    @on(OptionList.OptionHighlighted, "#columns-listed")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        panel, left = self.query_one("#column-values"), self._choice.left(self._columns)
        if event.option.id is not None or event.option_index >= len(left):
            panel.border_title = ""
            self.query_one("#column-text", Static).update("")
            return
        column = left[event.option_index]
        panel.border_title = Content(f"the first rows of {sanitize(column.name, one_line=True, max_length=40)}")
        self.query_one("#column-text", Static).update(sanitized_content("\n──\n".join(column.values)))

    @on(OptionList.OptionSelected, "#columns-listed")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if event.option.id == DETECT:
            self.dismiss(Picked(None))
            return
        name = None if event.option.id == NONE else self._choice.left(self._columns)[event.option_index].name
        self._choice = self._choice.with_next(name)
        if self._choice.asks_for is None:
            self.dismiss(Picked(self._choice.columns))
        else:
            self._show()

    def action_choose(self) -> None:
        """Takes the highlighted column, as the list itself does where it has the focus."""
        self.query_one("#columns-listed", OptionList).action_select()

    def action_back(self) -> None:
        """Takes the last choice back."""
        self._choice = self._choice.without_last()
        self._show()


def _line(column: Column) -> Content:
    name = sanitize(column.name, one_line=True, max_length=NAME_WIDTH)
    value = sanitize(column.values[0] if column.values else "", one_line=True, max_length=200)
    return Content.assemble(f"{name:<{NAME_WIDTH}}  ", (value, Meaning.MUTED.style))
