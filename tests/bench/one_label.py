"""A Textual app of one label, to compare the start of the wizard with: `python tests/bench/one_label.py`."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Label


class OneLabel(App[None]):
    """Shows one label."""

    def compose(self) -> ComposeResult:
        yield Label("one label")


if __name__ == "__main__":
    OneLabel().run()
