"""Ending an answer where its JSON document closes. Imports torch, so only the worker imports this module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import StoppingCriteria

from tuneproof.engine.data.json_document import DocumentWatch


@dataclass
class DocumentStop:
    """Follows one answer token by token.

    The text of a token on its own differs from its text in an answer only in white space and in parts of characters outside ASCII, and
    neither opens or closes a document.
    """

    text_of: Callable[[int], str]
    """The text of a token."""
    watch: DocumentWatch = field(default_factory=DocumentWatch)

    @property
    def closed(self) -> bool:
        """Whether the document has closed."""
        return self.watch.end is not None

    def advance(self, token_id: int) -> bool:
        """Reads the next token of the answer; returns whether the document has closed."""
        return self.watch.read(self.text_of(token_id))


class DocumentCriteria(StoppingCriteria):
    """Ends each row of transformers' `generate` where its document closes. Made for one call."""

    def __init__(self, stops: Sequence[DocumentStop]) -> None:
        self._stops = stops

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: object) -> torch.BoolTensor:
        """Whether each row has ended, (batch,); `input_ids`, (batch, tokens), end with the newest token of each."""
        closed = [stop.closed or stop.advance(token_id) for stop, token_id in zip(self._stops, input_ids[:, -1].tolist(), strict=True)]
        return torch.BoolTensor(closed).to(input_ids.device)
