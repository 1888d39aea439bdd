"""Words, sentences and the reading level of a text in any script."""

from __future__ import annotations

import unicodedata

import regex

from tuneproof.engine.data.spaceless import SPACELESS

_CHARACTER = regex.compile(rf"[{SPACELESS}]\p{{M}}*")
_HAS_WORD = regex.compile(r"[\p{L}\p{N}]")
_TOKEN = regex.compile(rf"[{SPACELESS}]\p{{M}}*|(?:(?![{SPACELESS}])[\p{{L}}\p{{N}}\p{{M}}])+")

_ABBREVIATION = r"\b(?i:mr|mrs|ms|dr|prof|st|vs|(?:no|nr)(?=\.\s*\d)|e\.g|i\.e|z\.b)|\b\p{L}"
_QUOTE = "[\"'\u201d\u2019\u00bb)\\]]*"
_SENTENCE_END = regex.compile(rf"(?:(?<!{_ABBREVIATION})\.+|…){_QUOTE}\s+(?!\p{{Ll}})|[!?]+{_QUOTE}\s+|[\u3002\uff01\uff1f]+")
"""An end mark before white space. A point after a title, a letter or before a small letter ends an abbreviation, not a sentence."""

_VOWELS = regex.compile(r"[aeiouy]+")


def folded(text: str) -> str:
    """The text in one form: Unicode compatibility forms, quotes, white space, upper and lower case are as one."""
    plain = unicodedata.normalize("NFKC", text).translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return " ".join(plain.casefold().split())


def tokens(text: str) -> list[str]:
    """The runs of letters and digits in lower case; in scripts without spaces, the characters."""
    found: list[str] = _TOKEN.findall(folded(text))
    return found


def count_words(text: str) -> int:
    """Words as word processors count them: what stands between white space, and every character of scripts without spaces."""
    alone = len(_CHARACTER.findall(text))
    return alone + sum(_HAS_WORD.search(part) is not None for part in _CHARACTER.sub(" ", text).split())


def sentences(text: str) -> list[str]:
    """The parts between end marks and lines that have a word."""
    parts = (part for line in text.splitlines() for part in _SENTENCE_END.split(line.strip() + " "))
    return [part for part in parts if _HAS_WORD.search(part)]


def reading_level(text: str) -> float:
    """The Flesch-Kincaid grade, in years of school in the USA, of English text; 0 for a text without words.

    0.39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid, Fishburne, Rogers and Chissom 1975, Derivation of new readability
    formulas for Navy enlisted personnel). Syllables are runs of vowels without a silent e, which is right for about nine words in ten.
    """
    words = [word for word in tokens(text.replace("'", "").replace("\u2019", "")) if not word.isdigit()]
    if not words:
        return 0.0
    return 0.39 * len(words) / max(1, len(sentences(text))) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    silent_e = word.endswith("e") and not word.endswith(("le", "ee", "ye"))
    silent_ed = word.endswith("ed") and not word.endswith(("ted", "ded"))
    return max(1, len(_VOWELS.findall(word)) - (silent_e or silent_ed))


def is_contained(inner: str, outer: str) -> bool:
    """Whether a text holds another, both folded, as whole words and whole numbers: 5 is not in 3.5, and no word is part of another."""
    return _edged(folded(inner)).search(folded(outer)) is not None


def _edged(text: str) -> regex.Pattern[str]:
    word = rf"(?![{SPACELESS}])[\p{{L}}\p{{N}}_]"
    before = rf"(?<!{word}|\d[.,])(?<!(?:^|[^\p{{L}}\p{{N}}])-)" if _begins_number(text) else rf"(?<!{word})" if _is_word(text[:1]) else ""
    after = rf"(?!{word}|[.,]\d)" if text[-1:].isdigit() else rf"(?!{word})" if _is_word(text[-1:]) else ""
    return regex.compile(before + regex.escape(text) + after)


def _begins_number(text: str) -> bool:
    return text[:1].isdigit()


def _is_word(character: str) -> bool:
    return _HAS_WORD.fullmatch(character) is not None and _CHARACTER.fullmatch(character) is None


def language_of(text: str) -> str:
    """The likeliest language of a text, as py3langid tells it, by its ISO 639 code."""
    import py3langid

    return str(py3langid.classify(text)[0])
