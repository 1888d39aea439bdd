"""Constrained decoding: masks the tokens that a grammar does not allow. Imports torch, so only the worker imports this module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import LogitsProcessor

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.base_model import BaseCheckpoint


def grammar_tokenizer(base: BaseCheckpoint, vocab_size: int) -> LLTokenizer:
    """The tokenizer of a base in the form that llguidance needs; `vocab_size` is the number of logits of the model.

    Raises CaseError if llguidance does not support the tokenizer.
    """
    try:
        return from_tokenizer(base.tokenizer, n_vocab=max(vocab_size, len(base.tokenizer)), eos_token=base.eos_token_ids)
    except ValueError as error:
        raise CaseError(
            f"constrained decoding does not work with this tokenizer: {error}",
            where=f"model.base: {base.name}",
            fix="remove `constrained` from `baselines`, or use a model with a fast tokenizer",
        ) from None


def after_text(text: str, grammar: str) -> str:
    """The grammar of a fixed text and then of what another grammar allows, in llguidance's format (its docs/syntax.md: nested grammars)."""
    if not text:
        return grammar
    # llguidance's own way of writing: Lark as it is, everything else in JSON.
    inner = json.loads(grammar)["grammars"] if grammar.startswith("{") else [{"lark_grammar": grammar}]
    start = {"name": "start", "lark_grammar": f"start: {json.dumps(text, ensure_ascii=False)} @answer"}
    return json.dumps({"grammars": [start, {**inner[0], "name": "answer"}, *inner[1:]]}, ensure_ascii=False)


@dataclass
class GrammarState:
    """How far one answer has come in the grammar."""

    matcher: LLMatcher
    eos_token_ids: Sequence[int]
    ended: bool = False
    """The answer has its end-of-sequence token."""
    limit_exceeded: bool = False
    """The grammar hit one of llguidance's limits. The answer is cut off there and counts as truncated."""

    def advance(self, token_id: int) -> None:
        """Consumes the next token of the answer. Tokens after its end are padding, and are ignored."""
        if not self.ended:
            self.matcher.consume_token(token_id)
            self.ended = token_id in self.eos_token_ids

    def fill_bitmask(self, bitmask: torch.Tensor) -> None:
        """Sets the bits of the allowed tokens. `bitmask` has shape (ceil(vocab_size / 32),), int32, lowest bit first."""
        if self.ended:
            bitmask.fill_(-1)
            return
        if not self.matcher.is_error():
            self.matcher.unsafe_compute_mask_ptr(bitmask.data_ptr(), bitmask.numel() * bitmask.element_size())
        if self.matcher.is_error():
            self.limit_exceeded = True
            bitmask.fill_(0)
            for token_id in self.eos_token_ids:
                bit = token_id % 32
                bitmask[token_id // 32] |= 1 << bit if bit < 31 else -(1 << 31)


class Grammar:
    """A grammar over the tokens of a base, for any number of answers.

    `grammar` is in the format of llguidance. Raises CaseError if llguidance cannot compile it.
    """

    def __init__(self, tokenizer: LLTokenizer, grammar: str) -> None:
        self._initial = LLMatcher(tokenizer, grammar)
        if self._initial.is_error():
            raise CaseError(f"task.output cannot be used as a grammar: {self._initial.get_error()}", where="baselines: constrained")
        self._eos_token_ids = tokenizer.eos_tokens
        self._bitmask_words = (tokenizer.vocab_size + 31) // 32

    def new_state(self) -> GrammarState:
        """The state of an answer before its first token."""
        return GrammarState(self._initial.deep_copy(), self._eos_token_ids)

    def mask_logits(self, logits: torch.Tensor, states: Sequence[GrammarState]) -> torch.Tensor:
        """The logits, (batch, vocab_size), with minus infinity at the tokens that each row's state does not allow."""
        bitmask = torch.full((len(states), self._bitmask_words), -1, dtype=torch.int32)
        for row, state in enumerate(states):
            state.fill_bitmask(bitmask[row])
        bits = (bitmask.to(logits.device)[:, :, None] >> torch.arange(32, device=logits.device, dtype=torch.int32)) & 1
        allowed = bits.reshape(len(states), -1).bool()[:, : logits.shape[1]]
        # A model may have more logits than its tokenizer has tokens. Those are never allowed.
        allowed = torch.nn.functional.pad(allowed, (0, logits.shape[1] - allowed.shape[1]))
        return logits.masked_fill(~allowed, float("-inf"))


@dataclass
class GrammarLogitsProcessor(LogitsProcessor):
    """Applies a grammar inside transformers' `generate`. Made for one call."""

    grammar: Grammar
    states: Sequence[GrammarState]
    """One state a row of the batch."""
    prompt_length: int
    """Tokens of the padded prompts."""

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Masks `scores`, (batch, vocab_size); `input_ids`, (batch, tokens), are the prompts and what follows them so far."""
        if input_ids.shape[1] > self.prompt_length:
            for state, token_id in zip(self.states, input_ids[:, -1].tolist(), strict=True):
                state.advance(token_id)
        return self.grammar.mask_logits(scores, self.states)
