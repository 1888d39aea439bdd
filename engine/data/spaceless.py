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

_WORD = re.compile(rf"[{SPACELESS}]|[^\W{SPACELESS}]+")


def words_of(text: str) -> list[str]:
    """The words of a text: runs of word characters, and every character of a script without spaces."""
    return _WORD.findall(text)
