"""What a grammar for constrained decoding is."""

from __future__ import annotations

from typing import NamedTuple


class AnswerGrammar(NamedTuple):
    """A grammar for constrained decoding, in llguidance's format, and a phrase for the card that says what it allows."""

    source: str
    summary: str
