"""The keys that work now, in the last line: one text, while Textual's Footer has a widget for each key.

Recreating those widgets took an eighth of the time of showing another step.
"""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static


class KeyLine(Static):
    """Shows the bindings of the screen that are enabled now."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom; height: 1; color: $footer-foreground; background: $footer-background;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._show)
        self._show(self.screen)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _show(self, screen: Screen[object]) -> None:
        if screen is self.screen and self.is_attached:
            self.update(self._keys(screen))

    def _keys(self, screen: Screen[object]) -> Content:
        shown: dict[str, Content] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and binding.action not in shown:
                key = Content.styled(f" {self.app.get_key_display(binding)} ", "bold $footer-key-foreground" if enabled else "dim")
                shown[binding.action] = Content.assemble(key, Content.styled(f"{binding.description} ", "" if enabled else "dim"))
        return Content.assemble(*shown.values())
