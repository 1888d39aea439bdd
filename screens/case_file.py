"""The whole case file: every key with its value or default, and what it means; enter changes one."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.session.case_keys import CaseKey, case_keys
from tuneproof.engine.session.key_input import shown_value
from tuneproof.screens.key_dialogs import KeyDialogs, why_key_is_fixed
from tuneproof.screens.overlay import Overlay
from tuneproof.screens.step import StepScreen
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

NAME_WIDTH = 38
MOST_SHOWN = 200


class CaseFileScreen(Overlay[None]):
    """Lists the keys by section; those that the case sets itself are bold."""

    HELP_TEXT = """
**The case file has more keys than the steps ask about.** This list has all of them, in the order of the file, each with its value. A
bold value is your own, any other is the default. enter changes the highlighted key, / finds a key by a part of its name or of its meaning,
escape goes back.

A key that cannot change any more says why: data and task are fixed once the eval set is frozen, method and training once training has
begun.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/"),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, step: StepScreen) -> None:
        super().__init__()
        self._step = step
        self._dialogs = KeyDialogs(step, self._show, self._refuse)
        self._keys: dict[str, CaseKey] = {}

    def compose(self) -> ComposeResult:
        yield Input(placeholder="/ finds a key by a part of its name or meaning", id="find-key", compact=True)
        yield OptionList(id="keys")
        yield Static(id="key-meaning", classes="panel", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        path = self._step.session.draft.path
        self.query_one("#keys", OptionList).border_title = sanitized_content(
            f"The case file{f' {path.name}' if path else ''}", one_line=True
        )
        self.query_one("#keys", OptionList).border_subtitle = "bold: your own, else the default; enter changes"
        self._show()
        self.query_one("#keys").focus()

    def on_screen_resume(self) -> None:
        self._show()

    def _show(self) -> None:
        listed = self.query_one("#keys", OptionList)
        marked = listed.highlighted_option.id if listed.highlighted_option else None
        self._keys = {key.name: key for key in case_keys(self._step.session.draft.content)}
        wanted = self.query_one("#find-key", Input).value.strip().lower()
        options: list[Option] = []
        section = ""
        for key in self._keys.values():
            if wanted and wanted not in key.name.lower() and wanted not in key.meaning.lower():
                continue
            if key.path[0] != section and len(key.path) > 1:
                section = key.path[0]
                options.append(Option(Content.styled(section, "bold $heading"), disabled=True))
            options.append(Option(self._line(key), id=key.name))
        listed.clear_options()
        listed.add_options(options)
        ids = [option.id for option in options]
        first = next((at for at, option in enumerate(options) if not option.disabled), None)
        listed.highlighted = ids.index(marked) if marked is not None and marked in ids else first
        self._explain()

    def _line(self, key: CaseKey) -> Content:
        value = key.default if key.value is None else key.value
        shown = sanitize(shown_value(value), one_line=True, max_length=MOST_SHOWN)
        fixed = "fixed  " if why_key_is_fixed(self._step, key) else ""
        indent = "  " if len(key.path) > 1 else ""
        return Content.assemble(
            f"{indent + key.name:<{NAME_WIDTH + 2}} ", (fixed, Meaning.MUTED.style), (shown, "bold" if key.is_own else Meaning.MUTED.style)
        )

    @property
    def _highlighted(self) -> CaseKey | None:
        option = self.query_one("#keys", OptionList).highlighted_option
        return self._keys.get(option.id) if option is not None and option.id is not None else None

    @on(OptionList.OptionHighlighted, "#keys")
    def _explain(self) -> None:
        panel, key = self.query_one("#key-meaning", Static), self._highlighted
        if key is None:
            panel.border_title = ""
            panel.update("no key has this in its name or meaning")
            return
        panel.border_title = key.name
        lines = [key.meaning, f"default: {shown_value(key.default)}" if not key.is_required else "this has to be given"]
        lines += [fixed] if (fixed := why_key_is_fixed(self._step, key)) else []
        panel.update(sanitized_content("\n".join(lines)))

    @on(OptionList.OptionSelected, "#keys")
    def _change(self) -> None:
        """Opens the dialog of the highlighted key."""
        if (key := self._highlighted) is not None:
            self._dialogs.ask(key.path)

    @on(Input.Changed, "#find-key")
    def _find_changed(self) -> None:
        self._show()

    @on(Input.Submitted, "#find-key")
    def _found(self) -> None:
        self.query_one("#keys").focus()

    def _refuse(self, why: str) -> None:
        """Says once more, where the eyes are, why a key cannot change."""
        self.query_one("#key-meaning", Static).update(sanitized_content(f"✗ {why}", "bold $text-error"))

    def action_find(self) -> None:
        """Moves to the field that filters the keys."""
        self.query_one("#find-key").focus()

    def action_leave(self) -> None:
        """Leaves the field, or else the list."""
        field = self.query_one("#find-key", Input)
        if field.has_focus or field.value:
            field.value = ""
            self.query_one("#keys").focus()
        else:
            self.dismiss(None)
