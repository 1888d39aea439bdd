"""A text without the differences that a rule ignores, so that equal texts have equal forms."""

from __future__ import annotations

import unicodedata

from tuneproof.engine.case.compare import Care, TextRule

STYLES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u0060\u00b4\u2039\u203a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u300c\u300d\u300e\u300f", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        "\u00ad": "",
    }
)
"""Quotes, primes and dashes of any style as those of a typewriter, and no soft hyphens. Unicode has no property that groups them so."""

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
"""Characters without width that join or part words without a sign."""

ENDS = ".!?\u2026\u3002\uff01\uff1f\uff0e\u0964"


def text_form(text: str, rule: TextRule) -> str:
    """What is compared of a text: in NFC (Unicode Standard Annex 15), with `\\n` as line end and no white space around it."""
    form = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if rule.typography is Care.IGNORE:
        # Compatibility forms are full-width letters, ligatures, and the one-character ellipsis; primes among them are mapped first.
        form = unicodedata.normalize("NFKC", form.translate(STYLES)).translate(INVISIBLE)
    if rule.white_space is Care.IGNORE:
        form = " ".join(form.translate(INVISIBLE).split())
    form = form.strip()
    if rule.end_punctuation is Care.IGNORE:
        form = form.rstrip(ENDS).rstrip()
    return unicodedata.normalize("NFC", form.casefold()) if rule.case is Care.IGNORE else form
