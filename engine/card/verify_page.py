"""The page of a card follows from what is stored: all of it, or all but the drawings if another matplotlib drew them."""

from __future__ import annotations

import re

from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.page.page import card_page
from tuneproof.engine.card.schema import CARD_HTML, Card
from tuneproof.engine.run.snapshot import RunSnapshot

_GENERATOR = re.compile(r'<meta name="generator" content="[^"]*">')
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


def page_follows(run: RunSnapshot, card: Card, evidence: Evidence) -> bool:
    """Whether the stored page is the one that this version makes; True for a run of a version that made none.

    The lines of a drawing are those of a version of matplotlib. What they show is beside them in text, which is always compared.
    """
    if CARD_HTML not in run.manifest.written():
        return True
    found, expected = run.read(CARD_HTML), card_page(card, evidence)
    if _generator(found) == _generator(expected):
        return found == expected
    return _without_drawings(found) == _without_drawings(expected)


def _generator(page: str) -> str:
    found = _GENERATOR.search(page)
    return found[0] if found else ""


def _without_drawings(page: str) -> str:
    return _DRAWING.sub("", _GENERATOR.sub("", page, count=1))
