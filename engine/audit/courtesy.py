"""Short requests that are equal but for words of courtesy and articles, which runs of three words cannot find.

One word more changes up to three runs of three, so that two requests of fewer than thirty words share less than 80 % of their runs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, loose, norm
from tuneproof.engine.data.spaceless import is_spaceless, words_of

SHORT = 30
"""Words below which a text is short."""

LEAST_LEFT = 3
"""With fewer words left, two requests count as equal only if their outputs are equal too: "oh please no" is not "oh no"."""

BUT_FOR_COURTESY = "equal but for words of courtesy and articles"
"""How two such rows are alike, for a reader."""

_LONGEST = 12 * SHORT
"""Characters above which no text is short, whatever its script."""


class Language(StrEnum):
    """A language whose articles are known, by its ISO 639 code."""

    EN = "en"
    DE = "de"
    ES = "es"
    FR = "fr"
    IT = "it"
    NL = "nl"
    PT = "pt"


ARTICLES: Mapping[Language, frozenset[str]] = {
    Language.EN: frozenset("a an the".split()),
    Language.DE: frozenset("der die das den dem des ein eine einen einem einer eines".split()),
    Language.ES: frozenset("el la los las un una unos unas".split()),
    Language.FR: frozenset("le la les l un une".split()),
    Language.IT: frozenset("il lo la i gli le l un uno una".split()),
    Language.NL: frozenset("de het een".split()),
    Language.PT: frozenset("o a os as um uma".split()),
}

_FREQUENT: Mapping[Language, str] = {
    Language.EN: "is are to of and in for my you me what how it that on with do",
    Language.DE: "ist und ich mir mein meine nicht wie was für mit auf zu bitte kann im am",
    Language.ES: "es y que mi para en como qué cómo por con de del al se",
    Language.FR: "est et je mon ma pour que dans quel comment pas vous de du au sur",
    Language.IT: "è e che mio mia per come di non con del al sono si",
    Language.NL: "is en ik mijn voor wat hoe van niet met op te kan",
    Language.PT: "é e que meu minha para como não em com do da no na",
}
"""Frequent words other than articles, by which the language of the data is told."""

_VOTES: Mapping[str, tuple[Language, ...]] = {
    word: tuple(language for language in Language if word in _FREQUENT[language].split())
    for words in _FREQUENT.values()
    for word in words.split()
}

_PHRASES = (
    "please", "pls", "plz", "kindly", "bitte", "por favor", "per favore", "per piacere", "s il vous plaît", "s il vous plait",
    "s il te plaît", "s il te plait", "svp", "stp", "alsjeblieft", "alstublieft", "aub", "proszę", "пожалуйста", "lütfen",
)  # fmt: skip
_SPACELESS_PHRASES = ("请问", "請問", "请", "請", "麻烦你", "麻烦您", "お願いします", "ください", "下さい", "どうか", "ครับ", "ค่ะ", "คะ")
_COURTESY = re.compile(rf"\b(?:{'|'.join(_PHRASES)})\b|{'|'.join(_SPACELESS_PHRASES)}")
_THANKS = re.compile(r"\b(?:thank you|thanks|thx)\b")
"""Written in several ways, but not left away: thanks may be all that is said."""


@aggregate
@dataclass(frozen=True)
class ShortInputs:
    """How many inputs are short, how many are in a script without spaces, and the votes of short ones for each language."""

    rows: int
    short: int
    spaceless: int
    votes: Counter[Language]

    @classmethod
    def of(cls, table: Table) -> ShortInputs:
        return cls.of_rows(example for part in table.parts for example in part)

    @classmethod
    def of_rows(cls, rows: Iterable[Example]) -> ShortInputs:
        """The counts of these rows."""
        count = short = spaceless = 0
        votes: Counter[Language] = Counter()
        for example in rows:
            count += 1
            text = example.input
            spaceless += is_spaceless(text)
            if len(text) <= _LONGEST and len(words := words_of(text.casefold())) < SHORT:
                short += 1
                votes.update({language for word in words for language in _VOTES.get(word, ())})
        return cls(count, short, spaceless, votes)

    def plus(self, later: ShortInputs) -> ShortInputs:
        return ShortInputs(self.rows + later.rows, self.short + later.short, self.spaceless + later.spaceless, self.votes + later.votes)

    @property
    def language(self) -> Language | None:
        """The language that most short inputs have words of; None if none has any."""
        most = max(self.votes.values(), default=0)
        return next((language for language in Language if self.votes[language] == most), None) if most else None


@dataclass(frozen=True)
class WithoutCourtesy:
    """Texts without words of courtesy and the articles of a language."""

    language: Language | None

    def text(self, text: str) -> str | None:
        """The words that are left of a text, under `loose`; None if the text is not short, or if none are left."""
        if len(text) > _LONGEST:
            return None
        words = loose(text)
        if len(words_of(words)) >= SHORT:
            return None
        articles = ARTICLES[self.language] if self.language else frozenset()
        left = _COURTESY.sub(" ", _THANKS.sub("thanks", words)).split()
        return " ".join(word for word in left if word not in articles) or None

    def key(self, text: str, output: str) -> str | None:
        """What two rows have in common that are equal but for such words; None for a text that is not compared in this way."""
        left = self.text(text)
        return f"{left}\n{norm(output)}" if left is not None and len(words_of(left)) < LEAST_LEFT else left


def courtesy_keys(table: Table) -> list[str | None]:
    """The keys of the rows of a table, examples first; None for a row that is not compared in this way."""
    without = WithoutCourtesy(table.count(ShortInputs).language)
    rows = (example for part in table.parts for example in part)
    return [without.key(text, example.output) for text, example in zip(table.compared_texts(), rows, strict=True)]
