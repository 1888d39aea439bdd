"""Text from data, made safe to show: no control sequences, and no characters that reorder the text beside them."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

TAB, NEWLINE = "\t", "\n"

NON_PRINTING = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of control characters, and of characters without a glyph."""


def sanitize(text: str, *, one_line: bool = False, max_length: int | None = None) -> str:
    """The text with control and format characters as visible signs, with `one_line` also line ends, cut to `max_length` characters.

    Control characters become the symbols of Unicode's block 2400, such as `␛` for escape. Other characters without a glyph (direction
    marks, zero-width characters, lone surrogates) become their code point, such as `<202E>`.
    """
    kept = text if max_length is None or len(text) <= max_length else text[: max_length - 1] + "…"
    return kept if kept.isprintable() else "".join(_sign(character, one_line) for character in kept)


def sanitize_json(text: str) -> str:
    """A JSON document in one line with the same value and without such characters: they only stand in its strings, and become escapes."""
    return "".join(_escape(character) for character in text)


class PlainStream:
    """A stream that lets only text through: whatever is written to it is sanitized."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(sanitize(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def use_plain_streams() -> None:
    """Makes the output of this process plain."""
    sys.stdout, sys.stderr = cast(TextIO, PlainStream(sys.stdout)), cast(TextIO, PlainStream(sys.stderr))


@contextmanager
def plain_streams() -> Iterator[None]:
    """The output of this process is plain while it is open."""
    before = sys.stdout, sys.stderr
    use_plain_streams()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def bare_streams() -> Iterator[None]:
    """The output of this process is that of its terminal while it is open, for a program that draws on it."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _bare(sys.stdout), _bare(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def rewrite_line(text: str) -> None:
    """Writes a text over the last line of the terminal that stderr is."""
    _bare(sys.stderr).write(f"\r\x1b[K{sanitize(text, one_line=True)}")
    sys.stderr.flush()


def _bare(stream: TextIO) -> TextIO:
    return stream.stream if isinstance(stream, PlainStream) else stream


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


def _escape(character: str) -> str:
    if unicodedata.category(character) not in NON_PRINTING:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
