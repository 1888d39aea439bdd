"""Holding rows to a grammar while they are decoded. Imports torch, so only the worker imports this module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import LogitsProcessor

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.base_model import BaseCheckpoint


def grammar_tokenizer(base: BaseCheckpoint, vocabulary: int) -> LLTokenizer:
    """The tokens of a base as llguidance needs them; `vocabulary` is how many logits its model gives.

    Raises CaseError for a tokenizer that it cannot read.
    """
    try:
        return from_tokenizer(base.tokenizer, n_vocab=max(vocabulary, len(base.tokenizer)), eos_token=base.eos_token_ids)
    except ValueError as error:
        raise CaseError(
            f"answers cannot be held to a grammar with this tokenizer: {error}",
            where=f"model.base: {base.name}",
            fix="take `constrained` out of `baselines`, or use a model with a fast tokenizer",
        ) from None


@dataclass
class GrammarState:
    """One answer that is held to a grammar, token by token."""

    matcher: LLMatcher
    ends: Sequence[int]
    ended: bool = False
    broken: bool = False
    """The grammar ran into one of llguidance's limits: the answer is ended, and is not to be taken for finished."""

    def take(self, token: int) -> None:
        """Goes on by a token of the answer; what follows its end is padding, and no part of it."""
        if not self.ended:
            self.matcher.consume_token(token)
            self.ended = token in self.ends

    def fill(self, words: torch.Tensor) -> None:
        """Writes the tokens after which an answer is left, a bit each, lowest first."""
        if self.ended:
            words.fill_(-1)
            return
        if not self.matcher.is_error():
            self.matcher.unsafe_compute_mask_ptr(words.data_ptr(), words.numel() * words.element_size())
        if self.matcher.is_error():
            self.broken = True
            words.fill_(0)
            for end in self.ends:
                bit = end % 32
                words[end // 32] |= 1 << bit if bit < 31 else -(1 << 31)


class Grammar:
    """A grammar over the tokens of a base, which any number of answers can be held to. Raises CaseError where it is none."""

    def __init__(self, tokenizer: LLTokenizer, grammar: str) -> None:
        self._first = LLMatcher(tokenizer, grammar)
        if self._first.is_error():
            raise CaseError(f"decoding cannot be held to task.output: {self._first.get_error()}", where="baselines: constrained")
        self._ends = tokenizer.eos_tokens
        self._words = (tokenizer.vocab_size + 31) // 32

    def hold(self) -> GrammarState:
        """A new answer."""
        return GrammarState(self._first.deep_copy(), self._ends)

    def mask(self, scores: torch.Tensor, held: Sequence[GrammarState]) -> torch.Tensor:
        """The scores, (rows, vocabulary), without the tokens after which no answer is left."""
        words = torch.full((len(held), self._words), -1, dtype=torch.int32)
        for row, answer in enumerate(held):
            answer.fill(words[row])
        bits = (words.to(scores.device)[:, :, None] >> torch.arange(32, device=scores.device, dtype=torch.int32)) & 1
        # Logits beyond the tokenizer's tokens are never allowed.
        flat = bits.reshape(len(held), -1).bool()[:, : scores.shape[1]]
        allowed = torch.nn.functional.pad(flat, (0, scores.shape[1] - flat.shape[1]))
        return scores.masked_fill(~allowed, float("-inf"))


@dataclass
class GrammarLogitsProcessor(LogitsProcessor):
    """Holds a batch in transformers' generate to a grammar. Made for one call: `started` is the width of the prompts."""

    grammar: Grammar
    held: Sequence[GrammarState]
    started: int

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        if input_ids.shape[1] > self.started:
            for answer, token in zip(self.held, input_ids[:, -1].tolist(), strict=True):
                answer.take(token)
        return self.grammar.mask(scores, self.held)
