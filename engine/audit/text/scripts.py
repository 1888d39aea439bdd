"""The script of a text: Latin, Cyrillic, Han and so on."""

from __future__ import annotations

import re
from collections import Counter

_SCRIPTS = {
    name: re.compile(f"[{ranges}]")
    for name, ranges in (
        ("Latin", "A-Za-z\xaa\xba\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff"),
        ("Cyrillic", "\u0400-\u052f"),
        ("Greek", "\u0370-\u03ff\u1f00-\u1fff"),
        ("Arabic", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc"),
        ("Hebrew", "\u0590-\u05ff"),
        ("Han or kana", "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
        ("Hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
        ("Devanagari", "\u0900-\u0963\u0966-\u097f"),
        ("Bengali", "\u0980-\u09ff"),
        ("Gurmukhi", "\u0a00-\u0a7f"),
        ("Gujarati", "\u0a80-\u0aff"),
        ("Odia", "\u0b00-\u0b7f"),
        ("Tamil", "\u0b80-\u0bff"),
        ("Telugu", "\u0c00-\u0c7f"),
        ("Kannada", "\u0c80-\u0cff"),
        ("Malayalam", "\u0d00-\u0d7f"),
        ("Sinhala", "\u0d80-\u0dff"),
        ("Thai", "\u0e00-\u0e7f"),
        ("Lao", "\u0e80-\u0eff"),
        ("Tibetan", "\u0f00-\u0fff"),
        ("Burmese", "\u1000-\u109f"),
        ("Georgian", "\u10a0-\u10ff\u1c90-\u1cbf"),
        ("Ethiopic", "\u1200-\u137f"),
        ("Khmer", "\u1780-\u17ff"),
        ("Armenian", "\u0530-\u058f"),
    )
}
_LATIN = _SCRIPTS["Latin"]
_BEYOND_LATIN = re.compile("[\u0370-\u1dff\u1f00-\u1fff\u3041-\ud7af\uf900-\ufdff\ufe70-\ufefc\U00020000-\U0003ffff]")


def script_of(text: str) -> str:
    """The script of most letters of a text; empty if it has no letters of a known script."""
    if text.isascii() or not _BEYOND_LATIN.search(text):
        return "Latin" if _LATIN.search(text) else ""
    counts = Counter({name: len(letters.findall(text)) for name, letters in _SCRIPTS.items()})
    script, count = counts.most_common(1)[0]
    return script if count else ""
