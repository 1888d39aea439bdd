"""Small dialogs: a line of text, a longer text, a choice, and a yes or no. Each checks what was entered before it closes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from tuneproof.engine.session.form_input import InputDoubt, InputError
from tuneproof.engine.session.wizard_words import in_wizard
from tuneproof.screens.overlay import Overlay
from tuneproof.tui.editor import EditorError, edited
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitized_content

Check = Callable[[str], str]
"""Says how a text is read, or nothing. Raises InputError if it cannot be used, InputDoubt if that should be confirmed."""


def any_text(text: str) -> str:
    """The check of a dialog that takes any text."""
    return ""


class LineInput(Input):
    """A line of text that refuses to lose lines: what is pasted with several of them is not pasted at all."""

    class SeveralLines(Message):
        """A text of several lines was pasted."""

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    def on_paste(self, event: events.Paste) -> None:
        if self._has_lines(event.text):
            # Textual's own handler would keep the first line.
            event.prevent_default()
            event.stop()

    def action_copy(self) -> None:
        super().action_copy()
        # The text is selected as soon as the field has the focus, so whoever wants to leave would copy without noticing.
        self.app.action_help_quit()

    def action_paste(self) -> None:
        if not self._has_lines(self.app.clipboard):
            super().action_paste()

    def _has_lines(self, text: str) -> bool:
        lines = len(text.strip().splitlines())
        if lines > 1:
            self.post_message(self.SeveralLines(lines))
        return lines > 1


class Dialog(Overlay[str | None]):
    """What all of them share: the title, the check before they close, and what is wrong beside the field."""

    HELP_TEXT: ClassVar[str] = ""
    HINT: ClassVar[str] = "enter saves, escape cancels, f1 explains"

    def __init__(self, title: str, why: str, check: Check = any_text, *, is_slow: bool = False) -> None:
        super().__init__()
        self._title, self._why, self._check, self._is_slow = title, why, check, is_slow
        self._confirmed: str | None = None

    def submit(self, text: str) -> None:
        """Closes the dialog with the text, or says what is wrong with it; what is doubtful is taken when it is submitted once more."""
        if text == self._confirmed:
            self.dismiss(text)
        elif self._is_slow:
            self.say("looking …")
            self.run_worker(lambda: self._look(text), thread=True, exclusive=True, group="check")
        else:
            self._conclude(text, self._wrong_with(text))

    def say(self, text: str, style: str = Meaning.MUTED.style) -> None:
        """Shows a line under the field."""
        self.query_one("#wrong", Static).update(sanitized_content(text, style))

    def show_place(self, error: InputError) -> None:
        """Shows where in the text the error is."""

    def _look(self, text: str) -> None:
        wrong = self._wrong_with(text)
        self.app.call_from_thread(self._conclude, text, wrong)

    def _wrong_with(self, text: str) -> InputError | None:
        try:
            self._check(text)
        except InputError as error:
            return error
        return None

    def _conclude(self, text: str, wrong: InputError | None) -> None:
        if not self.is_current:
            return
        if wrong is None:
            self.dismiss(text)
            return
        if isinstance(wrong, InputDoubt):
            self._confirmed = text
        self.show_wrong(wrong)

    def show_wrong(self, wrong: InputError) -> None:
        """Shows what is wrong beside the field."""
        if isinstance(wrong, InputDoubt):
            self.say(f"? {in_wizard(str(wrong))}. {self.ONCE_MORE} keeps it all the same.", "bold $text-warning")
        else:
            self.say(f"✗ {in_wizard(str(wrong))}", "bold $text-error")
        self.show_place(wrong)

    ONCE_MORE: ClassVar[str] = "enter once more"


class AskLine(Dialog):
    """Asks for one line of text; returns None if the user presses escape."""

    HELP_TEXT = """
**This field takes one line.** enter saves it, escape leaves everything as it was. What is wrong is said under the field, and what you typed
stays. ctrl+u empties the field.
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self, title: str, why: str, value: str = "", placeholder: str = "", check: Check = any_text, *, is_slow: bool = False
    ) -> None:
        super().__init__(title, why, check, is_slow=is_slow)
        self._value, self._placeholder = value, placeholder

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._why), classes="why")
            yield LineInput(self._value, placeholder=self._placeholder)
            yield Static(id="wrong")
            yield Static(self.HINT, classes="hint")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """Says how the text is read so far."""
        if self._is_slow or event.value == self._value:
            self.say("")
            return
        try:
            self.say(self._check(event.value))
        except InputError:
            # A text that is being typed is not wrong yet.
            self.say("")

    @on(LineInput.SeveralLines)
    def _several_lines(self, message: LineInput.SeveralLines) -> None:
        self.say(f"✗ {message.lines} lines were pasted, and this field takes one: nothing was pasted", "bold $text-error")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.submit(event.value)


class AskText(Dialog):
    """Asks for a text that may have lines; returns None if the user presses escape."""

    HELP_TEXT = """
**This field takes as many lines as you like.** ctrl+s or f2 saves it, f4 opens it in your editor (`$VISUAL`, else `$EDITOR`), ctrl+z takes
the last change back, ctrl+y makes it again. escape leaves everything as it was; with changes, only when it is pressed twice. What is wrong
is said under the field, and what you typed stays.
"""
    ONCE_MORE = "ctrl+s once more"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "save", "Save", priority=True, key_display="ctrl+s"),
        Binding("f4", "edit", "Editor", priority=True),
        Binding("escape", "cancel", "Cancel", priority=True),
    ]

    def __init__(
        self, title: str, why: str, value: str, check: Check = any_text, *, suffix: str = ".txt", wrong: InputError | None = None
    ) -> None:
        super().__init__(title, why, check)
        self._value, self._suffix, self._first_wrong = value, suffix, wrong
        self._asked_to_discard = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            with VerticalScroll(classes="why", can_focus=False):
                yield Static(sanitized_content(self._why))
            yield TextArea(self._value, show_line_numbers=True, tab_behavior="focus")
            yield Static(id="wrong")
            yield KeyLine()

    def on_mount(self) -> None:
        field = self.query_one(TextArea)
        field.move_cursor(field.document.end)
        field.focus()
        if self._first_wrong is not None:
            self.show_wrong(self._first_wrong)

    def show_place(self, error: InputError) -> None:
        if error.line is not None:
            field = self.query_one(TextArea)
            field.move_cursor((min(error.line, field.document.line_count) - 1, max(0, error.column - 1)), center=True)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        if self.query_one(TextArea).text != self._value:
            self.say("")
        self._asked_to_discard = False

    def action_save(self) -> None:
        self._once_typed(lambda: self.submit(self.query_one(TextArea).text))

    def action_edit(self) -> None:
        self._once_typed(self._edit)

    def _once_typed(self, act: Callable[[], None]) -> None:
        """Acts after the keys before this one: keys with priority overtake those that the field has not taken yet."""
        self.query_one(TextArea).call_later(act)

    def _edit(self) -> None:
        field = self.query_one(TextArea)
        try:
            text = edited(self.app, field.text, self._suffix)
        except EditorError as error:
            self.say(f"✗ {error}", "bold $text-error")
            return
        field.replace(text, (0, 0), field.document.end)

    def action_cancel(self) -> None:
        self._once_typed(self._cancel)

    def _cancel(self) -> None:
        if self.query_one(TextArea).text == self._value or self._asked_to_discard:
            self.dismiss(None)
            return
        self._asked_to_discard = True
        self.say("? escape once more throws your changes away, ctrl+s saves them", "bold $text-warning")


class AskChoice(Dialog):
    """Asks for one of a few words, each with its meaning; returns None if the user presses escape."""

    HELP_TEXT = """
**Choose one line** with the arrow keys and enter; escape leaves everything as it was.
"""
    HINT = "enter saves, escape cancels, ? explains"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self, title: str, why: str, choices: Sequence[tuple[str, str]], chosen: str | None = None, check: Check = any_text
    ) -> None:
        super().__init__(title, why, check)
        self._choices, self._chosen = list(choices), chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._why), classes="why")
            width = max(len(word) for word, _ in self._choices)
            yield OptionList(
                *(Option(sanitized_content(f"{word:<{width}}  {meaning}", one_line=True), id=word) for word, meaning in self._choices)
            )
            yield Static(id="wrong")
            yield Static(self.HINT, classes="hint")

    def on_mount(self) -> None:
        words = [word for word, _ in self._choices]
        listed = self.query_one(OptionList)
        listed.highlighted = words.index(self._chosen) if self._chosen in words else 0
        listed.focus()

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self.say("")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.submit(str(event.option.id))


class AskYesNo(Overlay[bool]):
    """Asks a question with its reason; escape is a no."""

    HELP_TEXT = "**y** says yes, **n** or escape says no and leaves everything as it was."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("n,escape", "dismiss(False)", "No"),
    ]

    def __init__(self, title: str, reason: str, yes: str, no: str) -> None:
        super().__init__()
        self._title, self._reason, self._yes, self._no = title, reason, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield Static(sanitized_content(self._reason), classes="why")
            answers = {"n": self._no, "y": self._yes}
            yield OptionList(*(Option(sanitized_content(f"{key}  {text}", one_line=True), id=key) for key, text in answers.items()))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id == "y")
