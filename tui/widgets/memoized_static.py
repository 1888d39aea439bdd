"""A text that is drawn anew only when it says something else."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class MemoizedStatic(Static):
    """Screens tell all they know at every event; most of it is what they told before, and laying it out again is dear."""

    _said: object = None

    def update(self, content: str | Content = "", *, layout: bool = True) -> None:  # type: ignore[override]
        said = (content.plain, tuple(content.spans)) if isinstance(content, Content) else content
        if said != self._said:
            self._said = said
            super().update(content, layout=layout)
