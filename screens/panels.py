"""One panel of a step in place of all of them: for a small terminal, in which every panel shows only a few lines."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList

from tuneproof.tui.widgets.loss_plot import LossPlot

STAYS = "#title, #rail, #status, KeyLine"
"""What stays beside a maximised panel."""


def panels_of(screen: Screen[None]) -> list[Widget]:
    """The panels of a step that are shown, from top to bottom."""
    candidates = screen.query_one("#panels").walk_children(Widget)
    found = [each for each in candidates if isinstance(each, OptionList | LossPlot) or each.has_class("panel")]
    return [each for each in found if each.display and all(above.display for above in each.ancestors if isinstance(above, Widget))]


def panel_with_focus(screen: Screen[None]) -> Widget | None:
    """The panel that has the focus, else the first one."""
    panels, focused = panels_of(screen), screen.focused
    around = [focused, *focused.ancestors] if focused is not None else []
    return next((panel for panel in panels if panel in around), panels[0] if panels else None)


def maximise(screen: Screen[None], panel: Widget | None) -> None:
    """Shows one panel alone; None shows all of them again."""
    screen.maximized = panel
    if panel is not None and panel.focusable:
        panel.focus()
    elif panel is not None:
        # The keys that scroll go to the screen, which hands them on.
        screen.set_focus(None)


def next_panel(screen: Screen[None], by: int) -> Widget | None:
    """The panel after the maximised one, the first after the last."""
    panels, now = panels_of(screen), screen.maximized
    return panels[(panels.index(now) + by) % len(panels)] if now in panels else None


def scroll(panel: Widget, direction: str) -> None:
    """Scrolls a maximised panel by a line or a page; a panel that scrolls itself has keys of its own."""
    within = panel if isinstance(panel, VerticalScroll) else next(iter(panel.query(VerticalScroll)), panel)
    {
        "up": within.scroll_up,
        "down": within.scroll_down,
        "page_up": within.scroll_page_up,
        "page_down": within.scroll_page_down,
    }[direction](animate=False)
