"""What the wizard does about its looks: themes, a terminal without colour or without Unicode, and pictures of the screen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter

from tuneproof.tui.theme import DARK, LIGHT, meaning_variables, wizard_themes
from tuneproof.tui.theme_choice import chosen_theme, keep_theme
from tuneproof.tui.widgets.ascii import AsciiFilter, shows_unicode
from tuneproof.tui.widgets.sanitize import SanitizingFilter

FILTERS: Sequence[LineFilter] = (SanitizingFilter(),)
ASCII_FILTER = AsciiFilter()


class ThemedApp(App[None]):
    """An app with the themes of the wizard, in the one that was chosen last."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("T", "other_theme", "Dark or light", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._line_filters = FILTERS if shows_unicode(os.environ) else (*FILTERS, ASCII_FILTER)
        for theme in wizard_themes(self.console.color_system):
            self.register_theme(theme)
        self._kept_theme = chosen_theme(os.environ, self.available_themes)
        self.theme = self._kept_theme
        if "SSH_CONNECTION" in os.environ:
            self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return meaning_variables(self.current_theme.to_color_system().generate())

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._line_filters]

    def watch_theme(self, theme_name: str) -> None:
        if self.no_color and self.available_themes[theme_name].ansi:
            # Without colour Textual turns the theme grey, and an ANSI theme would be black on black.
            self.theme = DARK
        elif theme_name != self._kept_theme:
            self._keep_theme(theme_name)

    def _keep_theme(self, name: str) -> None:
        self._kept_theme = name
        try:
            keep_theme(name)
        except OSError as error:
            self.notify(f"the theme is not kept for the next start: {error}", severity="warning", markup=False)

    def action_other_theme(self) -> None:
        self.theme = LIGHT if self.current_theme.dark else DARK

    def deliver_screenshot(self, filename: str | None = None, path: str | None = None, time_format: str | None = None) -> str | None:
        """Writes the picture into the current folder and says where it is: the folder of downloads need not exist on a server."""
        try:
            written = self.save_screenshot(filename, path, time_format)
        except OSError as error:
            self.notify(f"the picture cannot be written: {error}", severity="error", markup=False)
            return None
        self.notify(f"picture written to {Path(written).resolve()}", markup=False)
        return written
