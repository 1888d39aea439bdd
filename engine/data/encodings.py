"""What bytes are that are not UTF-8: named, so that they can be mended where they were made, and never converted by guessing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_ESCAPED = re.compile("[\udc80-\udcff]")


class Form(StrEnum):
    """What a bad place is, as a reader would call it."""

    CESU_8 = "CESU-8"
    SURROGATE = "half a surrogate pair"
    OVERLONG = "an overlong form"
    CUT_OFF = "a character that is cut off"
    SINGLE_BYTE = "Latin-1 or Windows-1252 by its looks"
    OTHER = "no text in UTF-8"


@dataclass(frozen=True)
class BadPlace:
    """The first bytes of a text that are not UTF-8: what they are, how many bytes stand before them, and the bytes.

    `meant` is the character that they would be, were they read as what they look like; empty where nothing can be said.
    """

    form: Form
    start: int
    content: bytes
    meant: str = ""

    def told(self, where: str) -> str:
        """One sentence; `where` is what the position counts in, such as "of the line"."""
        meant = f": {self.meant}" if self.meant else ""
        return f"not UTF-8 at byte {self.start + 1} {where}: {self.content.hex(' ').upper()} is {self.form}{meant}"


def first_bad(content: bytes) -> BadPlace | None:
    """The first bytes that are not UTF-8, or none where all are.

    What is well-formed: the Unicode Standard, section 3.9, table 3-7. CESU-8: Unicode Technical Report 26.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return bad_at(content, error.start)
    return None


def first_bad_of(text: str) -> BadPlace | None:
    """`first_bad` of a text that was decoded with `surrogateescape`; its position still counts bytes."""
    return first_bad(text.encode("utf-8", "surrogateescape"))


def is_marked(text: str) -> bool:
    """Whether a text that was decoded with `surrogateescape` has bytes that are not UTF-8."""
    return not text.isascii() and _ESCAPED.search(text) is not None


def wide_encoding(content: bytes) -> str:
    """UTF-16 or UTF-32, where that is what a whole file is in; else empty.

    Told by a byte-order mark, or by the NULs among the first four bytes, where a table or JSON has two ASCII characters
    (RFC 4627, section 3).
    """
    head = content[:4]
    if head in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    nulls = [byte == 0 for byte in head]
    if nulls in ([True, True, True, False], [False, True, True, True]):
        return "UTF-32"
    return "UTF-16" if nulls in ([True, False, True, False], [False, True, False, True]) else ""


def bad_at(content: bytes, start: int) -> BadPlace:
    """What the bytes are that a decoder could not read from there on."""
    lead = content[start]
    tail = _continuations(content, start + 1, most=max(1, _length(lead) - 1))
    found = content[start : start + 1 + tail]
    if not tail or lead < 0xC0:
        return _without_tail(content, start)
    if lead == 0xED and found[1] >= 0xA0:
        return _surrogate(content, start, found)
    if lead in (0xC0, 0xC1) or (lead == 0xE0 and found[1] < 0xA0) or (lead == 0xF0 and found[1] < 0x90):
        return BadPlace(Form.OVERLONG, start, found, _shortened(found))
    if lead > 0xF4 or (lead == 0xF4 and found[1] >= 0x90):
        return BadPlace(Form.OTHER, start, found)
    return BadPlace(Form.CUT_OFF, start, found, f"{len(found)} of {_length(lead)} bytes")


def _surrogate(content: bytes, start: int, found: bytes) -> BadPlace:
    """Half a pair, or two halves that make one character in UTF-16, each written as if it were a character."""
    if len(found) < 3:
        return BadPlace(Form.CUT_OFF, start, found, f"{len(found)} of 3 bytes")
    low = content[start + 3 : start + 6]
    is_pair = found[1] < 0xB0 and len(low) == 3 and low[0] == 0xED and 0xB0 <= low[1] <= 0xBF and 0x80 <= low[2] <= 0xBF
    if not is_pair:
        return BadPlace(Form.SURROGATE, start, found, f"U+{_surrogate_number(found):04X}")
    number = 0x10000 + (_surrogate_number(found) - 0xD800) * 0x400 + _surrogate_number(low) - 0xDC00
    return BadPlace(Form.CESU_8, start, found + low, f"U+{number:04X} as two surrogates")


def _without_tail(content: bytes, start: int) -> BadPlace:
    """A byte that begins nothing, or with nothing after it of what it begins."""
    byte = content[start : start + 1]
    letter = _in_windows_1252(byte)
    if byte[0] < 0xC0:
        run = 1 + _continuations(content, start + 1, most=3)
        # Two or more in a row are rather the rest of a character than two signs.
        return (
            BadPlace(Form.SINGLE_BYTE, start, byte, letter) if run == 1 and letter else BadPlace(Form.OTHER, start, content[start:][:run])
        )
    if _length(byte[0]) and byte[0] not in (0xC0, 0xC1) and start + 1 == len(content):
        return BadPlace(Form.CUT_OFF, start, byte, f"1 of {_length(byte[0])} bytes, or {letter} in Latin-1")
    return BadPlace(Form.SINGLE_BYTE, start, byte, letter)


def _continuations(content: bytes, start: int, most: int) -> int:
    """How many bytes from there on go on with a character."""
    count = 0
    while count < most and start + count < len(content) and 0x80 <= content[start + count] <= 0xBF:
        count += 1
    return count


def _length(lead: int) -> int:
    """How many bytes a character has that begins so; 0 where none does."""
    return 0 if lead < 0xC0 or lead > 0xF7 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def _surrogate_number(three: bytes) -> int:
    return 0xD000 + (three[1] & 0x3F) * 0x40 + (three[2] & 0x3F)


def _shortened(found: bytes) -> str:
    """The character that was written with more bytes than it needs; empty where not all of them are there."""
    if len(found) < _length(found[0]):
        return ""
    number = found[0] & (0x7F >> len(found))
    for byte in found[1:]:
        number = number * 0x40 + (byte & 0x3F)
    return f"U+{number:04X}"


def _in_windows_1252(byte: bytes) -> str:
    character = byte.decode("windows-1252", "replace")
    return character if character.isprintable() and character != "\ufffd" else ""
