"""`task.output.list_style`: how an answer of several labels is written."""

from __future__ import annotations

from enum import StrEnum


class ListStyle(StrEnum):
    """How several labels are written in one answer."""

    JSON = "json"
    """A JSON list of texts, `["a", "b"]`; no label is `[]`."""
    COMMAS = "commas"
    SEMICOLONS = "semicolons"
    BARS = "bars"
    LINES = "lines"

    @property
    def separator(self) -> str | None:
        """The character between two labels; None for JSON."""
        return {ListStyle.COMMAS: ",", ListStyle.SEMICOLONS: ";", ListStyle.BARS: "|", ListStyle.LINES: "\n"}.get(self)
