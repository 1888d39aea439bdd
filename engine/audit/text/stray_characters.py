"""Characters that do not belong in text: controls, replacement characters, and hidden or direction marks out of place."""

from __future__ import annotations

import re
import unicodedata

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_OFTEN_RIGHT = re.compile("[\u202a-\u202c\u2066-\u2069]")

_ASCII_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STRAY = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"  # controls other than tab, line feed and carriage return
    "|[\ufffd\ufeff\ufffe\uffff\xad]"
    "|[\u202a-\u202e\u2066-\u2069]"  # marks that change the direction of text
    # After Arabic, Indic and other letters that join, such runs are part of the spelling.
    "|(?<![\u0600-\u1fff\u200b-\u200d\u2060])[\u200b-\u200d\u2060]{2,}|(?<=[0-9A-Za-z])[\u200b\u2060](?=[0-9A-Za-z])"
    "|(?<![^\x00-\x7f])\u200d"  # a joiner with nothing before it: an emoji was lost
    # Flags of England, Scotland and Wales are a black flag and such characters; without a flag they are hidden text.
    "|(?<![\U0001f3f4\U000e0000-\U000e007f])[\U000e0000-\U000e007f]+"
)

MOST_NAMED = 5
"""Different characters that a note names."""


def stray_characters(field: str, text: str) -> str:
    """The stray characters of a text by their Unicode names; empty if there are none."""
    # Every character searched for is unprintable, except the replacement character.
    if text.isprintable() and (text.isascii() or "\ufffd" not in text):
        return ""
    found = dict.fromkeys("".join((_ASCII_CONTROL if text.isascii() else _STRAY).findall(text)))
    if found and _RIGHT_TO_LEFT.search(text):
        found = dict.fromkeys(c for c in found if not _OFTEN_RIGHT.match(c))
    if not found:
        return ""
    named = ", ".join(_name(character) for character in list(found)[:MOST_NAMED])
    return f"{field}: {named}{' and others' if len(found) > MOST_NAMED else ''}"


def _name(character: str) -> str:
    # Controls and noncharacters have no name of their own.
    names = {"\ufeff": "BYTE ORDER MARK"}
    name = names.get(character) or unicodedata.name(character, "")
    return f"U+{ord(character):04X}{' ' if name else ''}{name}"
