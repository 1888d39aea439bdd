"""The tokens of one row as training reads them: their texts, and which of them the loss sees. Imports transformers."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.trace.report import TracedToken
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

BROKEN = "\ufffd"
"""What a part of a character is decoded as."""


def traced_tokens(base: BaseCheckpoint, row: EncodedRow) -> list[TracedToken]:
    """Each token of a row with its own text."""
    texts, added = token_texts(base, row.input_ids), base.tokenizer.added_tokens_decoder
    special = {*base.tokenizer.all_special_ids, *base.eos_token_ids, *(token for token, each in added.items() if each.special)}
    return [
        TracedToken(position=at + 1, id=token, text=text, special=token in special, in_loss=label != IGNORE_INDEX)
        for at, (token, label, text) in enumerate(zip(row.input_ids, row.labels, texts, strict=True))
    ]


def token_texts(base: BaseCheckpoint, ids: Sequence[int]) -> list[str]:
    """What each token adds to the text of the one before it: alone, some tokenizers decode a token without its first space."""
    return [_added(base, ids[at - 1] if at else None, token) for at, token in enumerate(ids)]


def next_text(base: BaseCheckpoint, before: int, token: int) -> str:
    """The text of a token that would follow another."""
    return _added(base, before, token)


def _added(base: BaseCheckpoint, before: int | None, token: int) -> str:
    start = "" if before is None else _decoded(base, [before])
    both = _decoded(base, [token] if before is None else [before, token])
    text = both[len(start) :] if both.startswith(start) else _decoded(base, [token])
    return text if text and BROKEN not in text else str(base.tokenizer.convert_ids_to_tokens(token))


def _decoded(base: BaseCheckpoint, ids: list[int]) -> str:
    text: str = base.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text
