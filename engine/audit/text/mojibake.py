"""UTF-8 text that was read as Latin-1 or Windows-1252."""

from __future__ import annotations

import re

# Not ftfy: it changes 14 % of random texts of accented letters and typographic signs that are right as they are; this changes none.


def _as_read(byte: int) -> str:
    """How a byte reads in Windows-1252, with its five undefined bytes as in Latin-1 (the WHATWG encoding)."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTES = {_as_read(byte): byte for byte in range(0x80, 0x100)} | {chr(byte): byte for byte in range(0x80, 0x100)}
_NEXT = "[" + "".join(re.escape(character) for character, byte in _BYTES.items() if byte < 0xC0) + "]"

_SEQUENCE = re.compile(f"[\xc2-\xdf]{_NEXT}|[\xe0-\xef]{_NEXT}{{2}}|[\xf0-\xf4]{_NEXT}{{3}}")

_PLAIN = re.compile("[\x80-\xff]|[\u2010-\u203a\u20ac\u2122]|[\U0001f000-\U0001faff]|\ufeff")
"""What is garbled most often: Latin letters and signs, typographic punctuation, the euro and trade-mark signs, emoji, a byte-order mark."""


def garbled_text(field: str, text: str) -> str:
    """The first garbled character of a text and what it should be; empty if there is none."""
    if text.isascii():
        return ""
    found = [(match, meant) for match in _SEQUENCE.finditer(text) if (meant := _meant(match[0])) and not _is_capital_before_a_sign(match)]
    plain = next((pair for pair in found if _PLAIN.fullmatch(pair[1])), None)
    if plain is None and not _is_all_garbled(text, found):
        return ""
    match, meant = plain or found[0]
    return f"{field}: “{match[0]}” is “{meant}”"


def _meant(sequence: str) -> str:
    try:
        return bytes(_BYTES[character] for character in sequence).decode()
    except UnicodeDecodeError:
        return ""


def _is_capital_before_a_sign(match: re.Match[str]) -> bool:
    """Whether it may as well be the end of a word in capitals before a sign, as in "AMANHÃ…" or "CAFÉ”"."""
    text, start, end = match.string, match.start(), match.end()
    if end - start > 2 or match[0][1].isalnum():
        return False
    return text[max(0, start - 1) : start].isupper() and not text[end : end + 1].isalnum()


def _is_all_garbled(text: str, found: list[tuple[re.Match[str], str]]) -> bool:
    """Whether all of it is another script, garbled: two or more such runs, and no other character outside ASCII."""
    beyond_ascii = sum(character > "\x7f" for character in text) if len(found) > 1 else 0
    return 0 < beyond_ascii == sum(len(match[0]) for match, _ in found)
