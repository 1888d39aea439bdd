"""Holding a batch to a grammar while it is decoded. Imports torch, so only the worker imports this module."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import LogitsProcessor

from tuneproof.engine.errors import CaseError
from tuneproof.engine.model import BaseModel


def grammar_tokenizer(base: BaseModel, vocabulary: int) -> LLTokenizer:
    """The tokens of a base as llguidance needs them; `vocabulary` is how many logits its model gives.

    Raises CaseError for a tokenizer that it cannot read.
    """
    try:
        return from_tokenizer(base.tokenizer, n_vocab=max(vocabulary, len(base.tokenizer)), eos_token=base.end_tokens)
    except ValueError as error:
        raise CaseError(
            f"answers cannot be held to a grammar with this tokenizer: {error}",
            where=f"model.base: {base.name}",
            fix="take `constrained` out of `baselines`, or use a model with a fast tokenizer",
        ) from None


@dataclass
class GrammarMask(LogitsProcessor):
    """Rules out, at each step and for each row of one batch, the tokens after which no answer under the grammar is left.

    `started` is the width of the prompts. Made for one call of generate: it follows the rows token by token.
    """

    tokenizer: LLTokenizer
    grammar: str
    rows: int
    started: int
    broken: set[int] = field(default_factory=set)
    """Rows whose grammar ran into one of llguidance's limits: they are ended, and are not to be taken for finished."""

    def __post_init__(self) -> None:
        first = LLMatcher(self.tokenizer, self.grammar)
        if first.is_error():
            raise CaseError(f"decoding cannot be held to task.output: {first.get_error()}", where="baselines: constrained")
        self._matchers = [first, *(first.deep_copy() for _ in range(self.rows - 1))]
        self._ended: set[int] = set()
        self._mask = torch.full((self.rows, (self.tokenizer.vocab_size + 31) // 32), -1, dtype=torch.int32)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        if input_ids.shape[1] > self.started:
            ends = self.tokenizer.eos_tokens
            for row, token in enumerate(input_ids[:, -1].tolist()):
                # A row that has ended is filled up with padding, which is no part of its answer.
                if row not in self._ended:
                    self._matchers[row].consume_token(token)
                    self._ended |= {row} if token in ends else set()
        for row, matcher in enumerate(self._matchers):
            self._fill(row, matcher)
        return scores.masked_fill(~self._allowed(scores), float("-inf"))

    def _fill(self, row: int, matcher: LLMatcher) -> None:
        words = self._mask[row]
        if row in self._ended:
            words.fill_(-1)
            return
        if not matcher.is_error():
            matcher.unsafe_compute_mask_ptr(words.data_ptr(), words.numel() * words.element_size())
        if matcher.is_error():
            self.broken.add(row)
            words.fill_(0)
            for end in self.tokenizer.eos_tokens:
                bit = end % 32
                words[end // 32] |= 1 << bit if bit < 31 else -(1 << 31)

    def _allowed(self, scores: torch.Tensor) -> torch.Tensor:
        """The bits of the mask, one a logit; those beyond the tokenizer's tokens are never allowed."""
        bits = (self._mask.to(scores.device)[:, :, None] >> torch.arange(32, device=scores.device, dtype=torch.int32)) & 1
        flat = bits.reshape(self.rows, -1).bool()[:, : scores.shape[1]]
        return torch.nn.functional.pad(flat, (0, scores.shape[1] - flat.shape[1]))
