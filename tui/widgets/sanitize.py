"""Text from data, made safe to show: no markup, no control sequences, no characters that reorder the text beside them."""

from __future__ import annotations

import unicodedata

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

TAB, NEWLINE = "\t", "\n"

NON_PRINTING = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of control characters, and of characters without a glyph."""


class SanitizingFilter(LineFilter):
    """Removes non-printing characters from every drawn line, wherever its text comes from: the last safeguard, after `sanitize`."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [segment if segment.control or segment.text.isprintable() else _without_non_printing(segment) for segment in segments]


def _without_non_printing(segment: Segment) -> Segment:
    kept = "".join(character for character in segment.text if unicodedata.category(character) not in NON_PRINTING)
    return Segment(kept, segment.style)


def sanitize(text: str, *, one_line: bool = False, max_length: int | None = None) -> str:
    """The text with control and format characters as visible signs, with `one_line` also line ends, cut to `max_length` characters.

    Control characters become the symbols of Unicode's block 2400, such as `␛` for escape. Other characters without a glyph (direction
    marks, zero-width characters, lone surrogates) become their code point, such as `<202E>`.
    """
    kept = text if max_length is None or len(text) <= max_length else text[: max_length - 1] + "…"
    return "".join(_sign(character, one_line) for character in kept)


def sanitized_content(text: str, style: str = "", *, one_line: bool = False, max_length: int | None = None) -> Content:
    """The sanitized text as content that is never parsed as markup."""
    return Content.styled(sanitize(text, one_line=one_line, max_length=max_length), style)


def _sign(character: str, one_line: bool) -> str:
    if character == NEWLINE:
        return "␊" if one_line else NEWLINE
    if character == TAB:
        return "␉" if one_line else "    "
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in NON_PRINTING:
        return f"<{code:04X}>"
    return character
