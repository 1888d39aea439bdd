"""Whether an answer is an answer at all: empty, looping and wordless ones are counted apart from wrong ones."""

from __future__ import annotations

from enum import StrEnum

from tuneproof.engine.audit.text.repetition import loop_in

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MOST_BROKEN = 0.2
"""The share of characters that may be replacement or control characters: more of them is no text."""


class Coherence(StrEnum):
    """What kind of text an answer is."""

    TEXT = "text"
    EMPTY = "empty"
    LOOP = "loop"
    """More than half of it repeats what it has said before."""
    NO_WORDS = "no words"
    """It has no letter and no digit, or is broken text."""


def coherence_of(answer: str) -> Coherence:
    """The kind of an answer. Words that mean nothing together count as text: no rule here reads for sense."""
    text = answer.strip()
    if not text:
        return Coherence.EMPTY
    broken = sum(character == REPLACEMENT or (not character.isprintable() and not character.isspace()) for character in text)
    if broken > MOST_BROKEN * len(text) or not any(map(str.isalnum, text)):
        return Coherence.NO_WORDS
    return Coherence.LOOP if loop_in(text) else Coherence.TEXT
