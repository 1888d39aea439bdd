"""Telephone numbers in their usual formats."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneproof.engine.audit.pii.matches import Match, PiiKind, Trust

BEFORE, AFTER = 32, 12  # characters before and after a number in which a word for telephoning may be
SHORTEST, LONGEST = 7, 15  # digits: a local number without its area code, and the longest of E.164
EXTENSION = 6  # digits after x or ext.

_START, _END = r"(?<![\w+/#$€£-])(?<!\d[ (.,:])", r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?!\w|[.,:/-]\d)"

# Without a word: +44 7700 900123, +46 (0)8 928 571 38, 001-518-640-0854, 905-674-3793, (579)888-3058, 03.93.92.16.85, (08) 8747 6301.
_PLAIN = re.compile(
    _START
    + r"(?:"
    + r"(?:\+[1-9]|00[1-9](?=\d{0,2}[ .-]))\d{0,2}(?:[ .-]?\(0?\d{0,4}\))?(?:[ ./-]?\d){5,13}"
    + r"|(?:1[ .-])?(?:\([2-9]\d{2}\)[ -]?|[2-9]\d{2}[ .-])\d{3}([ .-])\d{4}"
    + r"|0[1-9]\d{0,3}[ /.-]\d{2,8}(?:([ .-])\d{2,4})?(?:\2\d{2,4}){0,3}"
    + r"|\(0\d{1,4}\)[ -]?\d{2,8}(?:[ -]\d{2,4}){0,3}"
    + r")"
    + _END
)
# Digits with or without groups: a telephone number only next to a word for telephoning.
_GROUPED = re.compile(_START + r"(?:\(\d{2,4}\)[ -]?)?\d{2,11}(?:[ .-]\d{2,8}){0,4}" + _END)
_WORD = re.compile(
    r"(?<![^\W_])(?:(?:tele)?(?:phone|fax)|tele(?:f|ph)\w+|t[eé]l[eé]phone|t[eé]l|mobiles?|cell(?:phone|ular)?|calls?|called|calling|dial|ring|reach"
    r"|text|sms|whatsapp|messages?|answer(?:ing|ed)|hotline|desk|office|voicemail|handy|móvil|m[oó]vil|mobil|rufnummer|celular|cellulare)(?![^\W_])",
    re.IGNORECASE,
)
_YEAR = r"(?:1[5-9]|20)\d{2}"
_DATE = re.compile(rf"{_YEAR}[ ./-]{_YEAR}|{_YEAR}[ ./-]\d{{1,2}}[ ./-]\d{{1,2}}|\d{{1,2}}[ ./-]\d{{1,2}}[ ./-]{_YEAR}")
# 04001-04125 counts pieces, 003 002 004 names models.
_NUMBERED = re.compile(r"(\d\d)(\d+)-\1\d+|00\d(?:[ .-]00\d)+")


def phones(text: str) -> Iterator[Match]:
    """Telephone numbers: international, North American, with a trunk 0, and local ones next to a word for telephoning.

    International numbers by E.164 (7 to 15 digits after +), North American ones by the area codes of the plan (they begin with 2 to 9).
    """
    for match in _PLAIN.finditer(text):
        shortest = 11 if match[0].startswith("00") else 9 if match[0][0] in "0(" else SHORTEST + 1
        if shortest <= _digits(match[0]) <= LONGEST + EXTENSION and not _NUMBERED.fullmatch(match[0]):
            yield _match(match, Trust.FORM)
    for match in _GROUPED.finditer(text):
        if SHORTEST <= _digits(match[0]) <= LONGEST and not _DATE.match(match[0]) and _next_to_a_word(text, match):
            yield _match(match, Trust.CONTEXT)


def _digits(written: str) -> int:
    return sum(c.isdigit() for c in written)


def _next_to_a_word(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    return bool(_WORD.search(text, max(0, start - BEFORE), start) or _WORD.search(text, end, end + AFTER))


def _match(match: re.Match[str], trust: Trust) -> Match:
    country = re.match(r"\+\d{1,2}(?=\d)", match[0])
    digits = re.sub(r"\D", "", match[0])
    return Match(PiiKind.PHONE, match.start(), match.end(), (country[0] if country else "") + "…" + digits[-2:], trust)
