"""A text that is redrawn only when it changes."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class MemoizedStatic(Static):
    """A Static that skips updates with the same text: screens redraw everything at every event, and a layout is slow."""

    _last: object = None

    def update(self, content: str | Content = "", *, layout: bool = True) -> None:  # type: ignore[override]
        key = (content.plain, tuple(content.spans)) if isinstance(content, Content) else content
        if key != self._last:
            self._last = key
            super().update(content, layout=layout)
