"""Bytes that are not UTF-8: found, and named after what they look like. They are never repaired by guessing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_ESCAPED = re.compile("[\udc80-\udcff]")
"""What the error handler `surrogateescape` decodes invalid bytes to."""


class InvalidBytesKind(StrEnum):
    """What invalid bytes look like; the values are parts of messages."""

    CESU_8 = "CESU-8"
    SURROGATE = "half a surrogate pair"
    OVERLONG = "an overlong form"
    CUT_OFF = "a character that is cut off"
    SINGLE_BYTE = "probably Latin-1 or Windows-1252"
    OTHER = "not text in UTF-8"


@dataclass(frozen=True)
class InvalidBytes:
    """The first bytes of a text that are not UTF-8."""

    kind: InvalidBytesKind
    start: int
    """How many bytes are before them."""
    content: bytes
    meaning: str = ""
    """The character that they stand for in the encoding that they look like; empty if there is none."""

    def message(self, unit: str) -> str:
        """One sentence for the user; `unit` says what the position counts in, such as "of the line"."""
        meaning = f": {self.meaning}" if self.meaning else ""
        return f"{self.place(unit)} is {self.kind}{meaning}"

    def place(self, unit: str) -> str:
        """The beginning of that sentence: where the bytes are, and which."""
        return f"not UTF-8 at byte {self.start + 1} {unit}: {self.content.hex(' ').upper()}"


def first_invalid(content: bytes) -> InvalidBytes | None:
    """The first bytes that are not UTF-8, or None.

    Well-formed UTF-8 is defined in the Unicode Standard, section 3.9, table 3-7, and CESU-8 in Unicode Technical Report 26.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return invalid_bytes_at(content, error.start)
    return None


def first_invalid_in_text(text: str) -> InvalidBytes | None:
    """`first_invalid` for a text that was decoded with `surrogateescape`; the position counts bytes."""
    return first_invalid(text.encode("utf-8", "surrogateescape"))


def has_invalid_bytes(text: str) -> bool:
    """Whether a text that was decoded with `surrogateescape` has bytes that are not UTF-8."""
    return not text.isascii() and _ESCAPED.search(text) is not None


def utf16_or_utf32(content: bytes) -> str:
    """ "UTF-16" or "UTF-32" if a file is in that encoding, else an empty string.

    Recognised by a byte-order mark, or by where the first four bytes are zero: a table or JSON begins with ASCII characters (RFC 4627,
    section 3).
    """
    head = content[:4]
    if head in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    zeros = [byte == 0 for byte in head]
    if zeros in ([True, True, True, False], [False, True, True, True]):
        return "UTF-32"
    return "UTF-16" if zeros in ([True, False, True, False], [False, True, False, True]) else ""


def invalid_bytes_at(content: bytes, start: int) -> InvalidBytes:
    """What the bytes are at which a UTF-8 decoder stopped."""
    lead = content[start]
    tail = _continuation_bytes(content, start + 1, limit=max(1, _encoded_length(lead) - 1))
    found = content[start : start + 1 + tail]
    if not tail or lead < 0xC0:
        return _without_continuation(content, start)
    if lead == 0xED and found[1] >= 0xA0:
        return _surrogate(content, start, found)
    if lead in (0xC0, 0xC1) or (lead == 0xE0 and found[1] < 0xA0) or (lead == 0xF0 and found[1] < 0x90):
        return InvalidBytes(InvalidBytesKind.OVERLONG, start, found, _character_of_overlong(found))
    if lead > 0xF4 or (lead == 0xF4 and found[1] >= 0x90):
        return InvalidBytes(InvalidBytesKind.OTHER, start, found)
    return InvalidBytes(InvalidBytesKind.CUT_OFF, start, found, f"{len(found)} of {_encoded_length(lead)} bytes")


def _surrogate(content: bytes, start: int, found: bytes) -> InvalidBytes:
    """One surrogate, or a pair of them that is one character in UTF-16, each encoded like a character of its own."""
    if len(found) < 3:
        return InvalidBytes(InvalidBytesKind.CUT_OFF, start, found, f"{len(found)} of 3 bytes")
    low = content[start + 3 : start + 6]
    is_pair = found[1] < 0xB0 and len(low) == 3 and low[0] == 0xED and 0xB0 <= low[1] <= 0xBF and 0x80 <= low[2] <= 0xBF
    if not is_pair:
        return InvalidBytes(InvalidBytesKind.SURROGATE, start, found, f"U+{_surrogate_number(found):04X}")
    number = 0x10000 + (_surrogate_number(found) - 0xD800) * 0x400 + _surrogate_number(low) - 0xDC00
    return InvalidBytes(InvalidBytesKind.CESU_8, start, found + low, f"U+{number:04X} as two surrogates")


def _without_continuation(content: bytes, start: int) -> InvalidBytes:
    """A byte that cannot begin a character, or one that can and has no continuation bytes after it."""
    byte = content[start : start + 1]
    letter = _in_windows_1252(byte)
    if byte[0] < 0xC0:
        run = 1 + _continuation_bytes(content, start + 1, limit=3)
        # Two or more in a row are more likely the end of a character than Latin-1 signs.
        if run == 1 and letter:
            return InvalidBytes(InvalidBytesKind.SINGLE_BYTE, start, byte, letter)
        return InvalidBytes(InvalidBytesKind.OTHER, start, content[start:][:run])
    if _encoded_length(byte[0]) and byte[0] not in (0xC0, 0xC1) and start + 1 == len(content):
        meaning = f"1 of {_encoded_length(byte[0])} bytes, or {letter} in Latin-1"
        return InvalidBytes(InvalidBytesKind.CUT_OFF, start, byte, meaning)
    return InvalidBytes(InvalidBytesKind.SINGLE_BYTE, start, byte, letter)


def _continuation_bytes(content: bytes, start: int, limit: int) -> int:
    """The number of continuation bytes (80 to BF) from `start` on, up to a limit."""
    count = 0
    while count < limit and start + count < len(content) and 0x80 <= content[start + count] <= 0xBF:
        count += 1
    return count


def _encoded_length(lead: int) -> int:
    """The number of bytes of a character with this first byte; 0 if no character begins with it."""
    return 0 if lead < 0xC0 or lead > 0xF7 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def _surrogate_number(three: bytes) -> int:
    return 0xD000 + (three[1] & 0x3F) * 0x40 + (three[2] & 0x3F)


def _character_of_overlong(found: bytes) -> str:
    """The character that is encoded with more bytes than it needs; empty if bytes are missing."""
    if len(found) < _encoded_length(found[0]):
        return ""
    number = found[0] & (0x7F >> len(found))
    for byte in found[1:]:
        number = number * 0x40 + (byte & 0x3F)
    return f"U+{number:04X}"


def _in_windows_1252(byte: bytes) -> str:
    character = byte.decode("windows-1252", "replace")
    return character if character.isprintable() and character != "\ufffd" else ""
