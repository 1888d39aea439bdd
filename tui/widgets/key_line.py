"""The keys that work now, in the last line: one text, while Textual's Footer has a widget for each key.

Recreating those widgets took an eighth of the time of showing another step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding
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

    def on_resize(self) -> None:
        self._show(self.screen)

    def _show(self, screen: Screen[object]) -> None:
        if screen is self.screen and self.is_attached:
            self.update(_fitting(self._keys(screen), self.app.size.width))

    def works_now(self) -> list[Binding]:
        """The keys of the screen that are to be shown and work now, one for each action."""
        shown: dict[str, Binding] = {}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled:
                shown.setdefault(binding.action, binding)
        return list(shown.values())

    def _keys(self, screen: Screen[object]) -> list[_Key]:
        shown: dict[str, _Key] = {}
        for node, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and binding.action not in shown:
                key = Content.styled(f" {self.app.get_key_display(binding)} ", "bold $footer-key-foreground" if enabled else "$muted")
                text = Content.assemble(key, Content.styled(f"{binding.description} ", "" if enabled else "$muted"))
                shown[binding.action] = _Key(text, is_everywhere=node is self.app)
        return list(shown.values())


@dataclass(frozen=True)
class _Key:
    """A key with what it does; whether it works on every screen."""

    text: Content
    is_everywhere: bool


def _fitting(keys: Sequence[_Key], width: int) -> Content:
    """As many keys as there is room for: a screen names its most important ones first, and help, which has them all, stays."""
    kept = list(keys)
    while sum(key.text.cell_length for key in kept) > width and (own := [key for key in kept if not key.is_everywhere]):
        kept.remove(own[-1])
    return Content.assemble(*(key.text for key in kept))
