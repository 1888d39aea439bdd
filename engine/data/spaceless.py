"""What a word is in any script: the marks that are part of one, and scripts without spaces, of which every character is a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

SPACELESS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ecd\u0edc-\u0edf"  # Lao
    "\u0f40-\u0fbc"  # Tibetan
    "\u1000-\u103f\u1050-\u109f"  # Myanmar
    "\u1780-\u17d3"  # Khmer
    "\u1950-\u19df\u1a20-\u1aad"  # Tai Le, New Tai Lue, Tai Tham
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)
"""The letters and vowel signs of these scripts, as inside the brackets of a pattern."""

_SCRIPTS_WITH_VOWEL_SIGNS = (
    (0x0780, 0x07BF),  # Thaana
    (0x0900, 0x109F),  # from Devanagari to Myanmar
    (0x1700, 0x17FF),  # scripts of the Philippines, Khmer
    (0x1900, 0x1CFF),  # from Limbu to the Vedic signs
    (0xA800, 0xAAFF),  # from Syloti Nagri to Meetei Mayek
)
"""Blocks of scripts whose vowels are combining marks, as code points. The vowels of Arabic and Hebrew are mostly left away."""


def _ranges_of(characters: Iterable[str]) -> Iterator[str]:
    """Rising characters as ranges inside the brackets of a pattern."""
    first = last = ""
    for character in characters:
        if first and ord(character) != ord(last) + 1:
            yield f"{first}-{last}"
            first = ""
        first, last = first or character, character
    if first:
        yield f"{first}-{last}"


VOWEL_SIGNS = "".join(
    _ranges_of(
        character
        for first, last in _SCRIPTS_WITH_VOWEL_SIGNS
        for character in map(chr, range(first, last + 1))
        if unicodedata.category(character) in ("Mn", "Mc")
    )
)
"""The marks of these scripts, which `\\w` does not match, as inside the brackets of a pattern."""

_RANGE = re.compile("(.)(?:-(.))?")
_CHARACTER = re.compile(f"[{SPACELESS}]")
_ASCII_WORD, _WORD = re.compile(r"\w+"), re.compile(rf"[\w{VOWEL_SIGNS}]+")
_WORD_OR_CHARACTER = re.compile(rf"[{SPACELESS}]|(?:(?![{SPACELESS}])[\w{VOWEL_SIGNS}])+")
_NO_ASCII_WORD, _NO_WORD = re.compile(r"\W+"), re.compile(rf"[^\w{VOWEL_SIGNS}]+")


def code_points(characters: str) -> list[tuple[int, int]]:
    """The first and the last code point of each range in `SPACELESS` or `VOWEL_SIGNS`."""
    return [(ord(first), ord(last or first)) for first, last in _RANGE.findall(characters)]


def is_spaceless(text: str) -> bool:
    """Whether most of a text is in a script without spaces; a name in such a script makes no other text one."""
    return not text.isascii() and _CHARACTER.search(text) is not None and 2 * len(_CHARACTER.findall(text)) > len(text)


def words_of(text: str) -> list[str]:
    """The words of a text: runs of word characters, and in a text in a script without spaces every character of that script."""
    if text.isascii():
        return _ASCII_WORD.findall(text)
    return (_WORD_OR_CHARACTER if is_spaceless(text) else _WORD).findall(text)


def only_words(text: str) -> str:
    """The text with each run of other characters than those of words as one space, and none at the ends."""
    return (_NO_ASCII_WORD if text.isascii() else _NO_WORD).sub(" ", text).strip()
