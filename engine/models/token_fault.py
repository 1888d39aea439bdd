"""What commonly breaks between a text and the tokens that a model is trained on or asked with. Imports no library of models."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TokenFault(StrEnum):
    """A common fault of a chat template, a tokenizer or a row."""

    END_NOT_LEARNED = "end not learned"
    """The end token is in no label, so that the tuned model does not stop."""
    PAD_IS_END = "padding is the end token"
    """Who masks padding by its id masks the end of every answer too."""
    ALL_MASKED = "all labels masked"
    """The loss sees no token of the answer."""
    TWO_BEGINNINGS = "two beginnings"
    """The token that begins a text stands there twice."""
    NO_BEGINNING = "no beginning"
    """The tokenizer puts a token before every text, and the prompt does not begin with it."""
    OTHER_TEMPLATE = "another template"
    """The chat template is not the one of the run."""
    NO_GENERATION_PROMPT = "no generation prompt"
    """The prompt ends before the mark that it is the assistant's turn."""
    OTHER_PREFIX = "another prefix"
    """What stands before an answer is not what the prompt ends with."""
    SPECIAL_IN_TEXT = "special token in text"
    """A text of data has the letters of a special token."""


@dataclass(frozen=True)
class FoundFault:
    """A fault that was found, in a plain sentence, and what to do about it."""

    fault: TokenFault
    breaks_here: bool
    """Whether it changes what tuneproof trains or measures; if not, tuneproof avoids it, and other programs may not."""
    sentence: str
    fix: str
