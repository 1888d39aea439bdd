"""Text that was read in the wrong encoding."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneproof.engine.audit.checks.characters import rows_with
from tuneproof.engine.audit.registry import Finding, Severity, check, several
from tuneproof.engine.audit.table import Table


def _as_read(byte: int) -> str:
    """What a byte looks like in windows-1252, with the five bytes that it leaves open as in latin-1 (the WHATWG reading)."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTES = {_as_read(byte): byte for byte in range(0x80, 0x100)} | {chr(byte): byte for byte in range(0x80, 0x100)}
_NEXT = "[" + "".join(re.escape(character) for character, byte in _BYTES.items() if byte < 0xC0) + "]"

_SEQUENCE = re.compile(f"[\xc2-\xdf]{_NEXT}|[\xe0-\xef]{_NEXT}{{2}}|[\xf0-\xf4]{_NEXT}{{3}}")

_PLAIN = re.compile("[\x80-\xff]|[\u2010-\u203a\u20ac\u2122]|[\U0001f000-\U0001faff]|\ufeff")
"""What is garbled most: Latin letters and signs, typographic punctuation, the euro and trade-mark signs, emoji, a byte-order mark."""


@check("mojibake", severity=Severity.WARN)
def garbled_text(table: Table) -> Iterator[Finding]:
    """Text whose accents or quotes turned into pairs of strange letters, as in "cafÃ©" for "café": the model learns to write it so.

    It comes from reading a UTF-8 file as if it were latin-1 or windows-1252. A row counts only where the strange letters, written back
    as bytes, are valid UTF-8.
    """
    rows = rows_with(table, _garbled)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row was', 'rows were')} read in the wrong encoding",
            "make the file again from its source, read as UTF-8; or leave these rows out",
            rows,
        )


def _garbled(field: str, text: str) -> str:
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
    """Whether it is as likely the end of a word in capitals and a sign, as in "AMANHÃ…" or "CAFÉ”"."""
    text, start, end = match.string, match.start(), match.end()
    if end - start > 2 or match[0][1].isalnum():
        return False
    return text[max(0, start - 1) : start].isupper() and not text[end : end + 1].isalnum()


def _is_all_garbled(text: str, found: list[tuple[re.Match[str], str]]) -> bool:
    """Other scripts are long runs when garbled: two or more, and no other character outside ASCII."""
    beyond_ascii = sum(character > "\x7f" for character in text) if len(found) > 1 else 0
    return 0 < beyond_ascii == sum(len(match[0]) for match, _ in found)
