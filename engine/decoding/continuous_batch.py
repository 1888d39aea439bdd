"""Continuous batching over the slots of one cache: sequences are admitted, decoded together, and evicted one by one.

Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch

from tuneproof.engine.decoding.document_stop import DocumentStop
from tuneproof.engine.decoding.grammar import GrammarState
from tuneproof.engine.decoding.kv_cache import CachedPrefix, SlotCache, has_plain_kv_cache
from tuneproof.engine.decoding.watch import OnPass
from tuneproof.engine.models.generation import settings_with_effect

MAX_PREFILL_TOKENS = 16_384
"""Prompt tokens of one prefill pass, including padding. Larger passes are not faster and take more memory."""


@dataclass
class DecodeState:
    """One prompt and what is decoded after it so far."""

    prompt_ids: list[int]
    max_new_tokens: int
    grammar_state: GrammarState | None = None
    document_stop: DocumentStop | None = None
    """Ends the answer where its JSON document closes."""
    is_answered: bool = False
    """Whether its answer is known already, so that it only has its place among those that are decoded."""
    prefix: CachedPrefix | None = None
    """The start of the prompt, if it is shared with other prompts and already in a cache."""
    output_ids: list[int] = field(default_factory=list)
    label_log_likelihoods: list[float] = field(default_factory=list)
    """Only when labels are scored: one for each label, in nats."""

    @property
    def document_closed(self) -> bool:
        """Whether the JSON document of the answer has closed, which ends it."""
        return self.document_stop is not None and self.document_stop.closed

    @property
    def prefix_length(self) -> int:
        """Prompt tokens that are already in a cache."""
        return self.prefix.length if self.prefix else 0

    @property
    def position(self) -> int:
        """Position of the next input token."""
        return len(self.prompt_ids) + len(self.output_ids) - 1

    @property
    def next_input_id(self) -> int:
        """The token that the next decode step reads: the last one so far."""
        return self.output_ids[-1] if self.output_ids else self.prompt_ids[-1]

    @property
    def max_length(self) -> int:
        """Most tokens of prompt and output together."""
        return len(self.prompt_ids) + self.max_new_tokens


OnFinished = Callable[[Sequence[DecodeState]], None]
"""Called with sequences that have ended."""


def supports_custom_mask(model: Any) -> bool:
    """Whether a 4D attention mask reaches the model's attention unchanged.

    Needs a plain key-value cache, SDPA or eager attention (flash attention takes no mask), and `position_ids`.
    """
    plain = getattr(model, "get_base_model", lambda: model)()
    return (
        has_plain_kv_cache(model)
        and getattr(plain, "_supports_attention_backend", False)
        and model.config.get_text_config()._attn_implementation in ("sdpa", "eager")
        and "position_ids" in inspect.signature(plain.forward).parameters
    )


def matches_hf_greedy(model: Any) -> bool:
    """Whether the argmax of the logits is the token that `generate(do_sample=False)` picks.

    False if the model's generation config changes logits, as a repetition penalty does.
    """
    return supports_custom_mask(model) and not settings_with_effect(model.generation_config.to_diff_dict())


class ContinuousBatch:
    """The sequences that a model decodes together: at most `num_slots`, each of at most `max_length` tokens."""

    def __init__(self, model: Any, num_slots: int, max_length: int) -> None:
        self.active: list[DecodeState] = []
        """The sequence in each slot; slots behind these are free."""
        self.cache = SlotCache(model, num_slots, max_length)
        self.columns = torch.arange(max_length, device=model.device)
        """0 to max_length - 1, int64: the columns of the cache."""
        self._model = model
        self._prefix_in_slot: list[CachedPrefix | None] = [None] * num_slots
        self._eager = model.config.get_text_config()._attn_implementation == "eager"

    @property
    def free_slots(self) -> int:
        """How many more sequences can be admitted."""
        return self.cache.num_slots - len(self.active)

    def admit(self, states: list[DecodeState], on_pass: OnPass = lambda: None) -> None:
        """Puts sequences into free slots and prefills their prompts, all but the last token, which the first decode step reads."""
        first = len(self.active)
        self.active += states
        for slot, state in enumerate(states, start=first):
            if state.prefix is not None and self._prefix_in_slot[slot] is not state.prefix:
                self.cache.write_prefix(slot, state.prefix)
            self._prefix_in_slot[slot] = state.prefix
        for slots in self._prefill_passes(first):
            on_pass()
            self._prefill(slots)

    def evict(self, slot: int) -> None:
        """Removes a sequence; the one in the last slot in use moves into its slot."""
        last = self.active.pop()
        if slot < len(self.active):
            start = last.prefix_length if self._prefix_in_slot[slot] is last.prefix else 0
            self.cache.copy_slot(len(self.active), slot, start, last.position)
            self.active[slot], self._prefix_in_slot[slot] = last, last.prefix

    def forward(
        self, input_ids: torch.Tensor, position_ids: torch.Tensor, attention_mask: torch.Tensor, logits_to_keep: int = 1
    ) -> torch.Tensor:
        """One pass of the model; gives the logits of the last tokens, (batch, logits_to_keep, vocab_size), in the model's dtype.

        `input_ids` and `position_ids` have shape (batch, tokens), int64. `attention_mask` has shape (batch or 1, 1, tokens, kv_length),
        bool: True where a token attends to a column of the cache.
        """
        if self._eager:
            # Eager attention adds the mask to its scores.
            additive = torch.zeros(attention_mask.shape, dtype=self._model.dtype, device=attention_mask.device)
            attention_mask = additive.masked_fill(~attention_mask, torch.finfo(self._model.dtype).min)
        output = self._model(
            input_ids=input_ids,
            position_ids=position_ids,
            attention_mask=attention_mask,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=logits_to_keep,
        )
        logits: torch.Tensor = output.logits[:, -logits_to_keep:]
        return logits

    def _prefill_passes(self, first: int) -> Iterator[slice]:
        """Slots from `first` on, in as few passes as possible; all sequences of a pass have a prefix of the same length."""
        for _, group in groupby(range(first, len(self.active)), key=lambda slot: self.active[slot].prefix_length):
            slots = list(group)
            longest = max(len(self.active[slot].prompt_ids) - self.active[slot].prefix_length for slot in slots)
            count = max(1, MAX_PREFILL_TOKENS // longest)
            yield from (slice(slots[at], slots[at : at + count][-1] + 1) for at in range(0, len(slots), count))

    def _prefill(self, slots: slice) -> None:
        states = self.active[slots]
        start, end = states[0].prefix_length, max(len(state.prompt_ids) for state in states) - 1
        if end > start:
            # Padded on the right: decode steps overwrite the padding before any token attends to it.
            input_ids = [state.prompt_ids[start:-1] + [0] * (end + 1 - len(state.prompt_ids)) for state in states]
            position_ids = self.columns[start:end]
            self.cache.prepare_prefill(slots, end)
            causal = self.columns[:end] <= position_ids[None, None, :, None]
            self.forward(torch.tensor(input_ids, device=self._model.device), position_ids.expand(len(states), -1), causal)
