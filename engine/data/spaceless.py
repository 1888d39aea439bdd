"""Scripts that are written without spaces between words, whose characters are counted where others have words."""

from __future__ import annotations

import re

SPACELESS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ecd\u0edc-\u0edf"  # Lao
    "\u0f40-\u0fbc"  # Tibetan
    "\u1000-\u103f\u1050-\u109f"  # Myanmar
    "\u1780-\u17d3"  # Khmer
    "\u1950-\u19df\u1a20-\u1aad"  # Tai Le, New Tai Lue, Tai Tham
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)
"""The letters and vowel signs of these scripts, as inside the brackets of a pattern."""

_RANGES = re.findall("(.)(?:-(.))?", SPACELESS)
_CHARACTER = re.compile(f"[{SPACELESS}]")
_WORD = re.compile(r"\w+")
_WORD_OR_CHARACTER = re.compile(rf"[{SPACELESS}]|[^\W{SPACELESS}]+")


def spaceless_ranges() -> list[tuple[int, int]]:
    """The first and the last code point of each range of these scripts."""
    return [(ord(first), ord(last or first)) for first, last in _RANGES]


def is_spaceless(text: str) -> bool:
    """Whether most of a text is in a script without spaces; a name in such a script makes no other text one."""
    return not text.isascii() and _CHARACTER.search(text) is not None and 2 * len(_CHARACTER.findall(text)) > len(text)


def words_of(text: str) -> list[str]:
    """The words of a text: runs of word characters, and in a text in a script without spaces every character of that script."""
    return (_WORD_OR_CHARACTER if is_spaceless(text) else _WORD).findall(text)
