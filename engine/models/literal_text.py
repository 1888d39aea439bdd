"""Text of data inside a prompt or an answer: what looks like a special token there stays text.

A prompt is one text until it is encoded, with the special tokens of the chat template written out. What data have of these tokens stands
between two characters that no text has, so that the prompt still says which is which wherever it is stored, and is encoded alike in
training, in decoding and when it is decoded again.
"""

from __future__ import annotations

import re

from transformers import PreTrainedTokenizerBase

from tuneproof.engine.data.reasoning import THINK_CLOSE, THINK_OPEN

OPEN, CLOSE = "\ufdd0", "\ufdd1"
"""Two noncharacters of Unicode, which are for use inside a program."""

_LITERAL = re.compile(f"{OPEN}(.[^{CLOSE}]*){CLOSE}", re.DOTALL)


def special_token_pattern(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str]:
    """The special tokens of a tokenizer as text, and the two characters. The marks of reasoning are not among them: answers have them."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    tokens = {token for token in [*added, *tokenizer.all_special_tokens] if token} - {THINK_OPEN, THINK_CLOSE}
    # The longest first: one may begin with another.
    return re.compile("|".join(map(re.escape, [*sorted(tokens, key=lambda token: (-len(token), token)), OPEN, CLOSE])))


def as_literal(text: str, special: re.Pattern[str]) -> str:
    """A text of data as it stands in a prompt; the same text if it has no special token."""
    return special.sub(lambda found: f"{OPEN}{found[0]}{CLOSE}", text)


def without_marks(text: str) -> str:
    """The text without the marks around its literal special tokens, as a model writes it."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The token ids of a text that already contains its special tokens, and maybe literal ones."""
    if OPEN not in text:
        return _ids(tokenizer, text)
    ids: list[int] = []
    # Splitting at a pattern with one group gives what is outside and what is inside by turns.
    for at, part in enumerate(_LITERAL.split(text)):
        if part:
            ids += _text_ids(tokenizer, part) if at % 2 else _ids(tokenizer, part)
    return ids


def _ids(tokenizer: PreTrainedTokenizerBase, text: str, *, split: bool = False) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=split)
    return ids


def _text_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The token ids of a text, none of them special but an unknown one."""
    ids = _ids(tokenizer, text, split=True)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    if special.isdisjoint(ids) or len(text) == 1:
        return ids
    # Some tokenizers have their special tokens in the vocabulary of texts too, so that they have to be cut.
    middle = len(text) // 2
    return _text_ids(tokenizer, text[:middle]) + _text_ids(tokenizer, text[middle:])
