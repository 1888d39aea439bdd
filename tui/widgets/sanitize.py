"""Text from data on the screen: plain, and never parsed as markup."""

from __future__ import annotations

import unicodedata

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from tuneproof.engine.core.plain_text import NON_PRINTING
from tuneproof.engine.core.plain_text import sanitize as sanitize


class SanitizingFilter(LineFilter):
    """Removes non-printing characters from every drawn line, wherever its text comes from: the last safeguard, after `sanitize`."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [segment if segment.control or segment.text.isprintable() else _without_non_printing(segment) for segment in segments]


def _without_non_printing(segment: Segment) -> Segment:
    kept = "".join(character for character in segment.text if unicodedata.category(character) not in NON_PRINTING)
    return Segment(kept, segment.style)


def sanitized_content(text: str, style: str = "", *, one_line: bool = False, max_length: int | None = None) -> Content:
    """The sanitized text as content that is never parsed as markup."""
    return Content.styled(sanitize(text, one_line=one_line, max_length=max_length), style)
