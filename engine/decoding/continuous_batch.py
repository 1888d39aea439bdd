"""Prompts in the slots of a cache, read once and then looked at by what follows them. Imports torch, so only the worker imports it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch

from tuneproof.engine.decoding.grammar import GrammarState
from tuneproof.engine.decoding.kv_cache import Prefix, Slots, has_plain_kv_cache

READ_AT_ONCE = 16_384
"""Tokens of prompts that one pass reads, padding included: more are no faster, and take memory."""

LEAVES_SCORES_ALONE = frozenset(
    "do_sample temperature top_k top_p min_p max_length max_new_tokens use_cache bos_token_id eos_token_id pad_token_id "
    "cache_implementation output_attentions output_hidden_states transformers_version _from_model_config".split()
)
"""Settings of a model's generation config that do not say which token is likeliest, or that we give ourselves."""


@dataclass
class DecodeState:
    """A prompt on its way to its answer, and the beginning of it that has been read already."""

    prompt: list[int]
    room: int
    held: GrammarState | None = None
    prefix: Prefix | None = None
    answer: list[int] = field(default_factory=list)
    likely: list[float] = field(default_factory=list)
    """Where labels are scored and nothing is written: how likely each is."""

    @property
    def shared(self) -> int:
        """How many tokens have been read already."""
        return self.prefix.length if self.prefix else 0

    @property
    def place(self) -> int:
        """The position of the token that is read next."""
        return len(self.prompt) + len(self.answer) - 1

    @property
    def next(self) -> int:
        """The token that is read next."""
        return self.answer[-1] if self.answer else self.prompt[-1]

    @property
    def width(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        return len(self.prompt) + self.room


def supports_custom_mask(model: Any) -> bool:
    """Whether a model can be told what each token looks at: it keeps plain keys and values, and its attention takes masks as they are.

    Flash attention takes none.
    """
    plain = getattr(model, "get_base_model", lambda: model)()
    return (
        has_plain_kv_cache(model)
        and getattr(plain, "_supports_attention_backend", False)
        and model.config.get_text_config()._attn_implementation in ("sdpa", "eager")
        and "position_ids" in inspect.signature(plain.forward).parameters
    )


def matches_hf_greedy(model: Any) -> bool:
    """Whether the likeliest token in slots is the one that generate writes: not where the model's own settings change scores, as a penalty
    on repetition does."""
    return supports_custom_mask(model) and model.generation_config.to_diff_dict().keys() <= LEAVES_SCORES_ALONE


class SlotBatch:
    """The rows that a model is at work on: at most `slots` of them, none longer than `width` tokens with its answer."""

    def __init__(self, model: Any, slots: int, width: int) -> None:
        self.live: list[DecodeState] = []
        self.cache = Slots(model, slots, width)
        self.columns = torch.arange(width, device=model.device)
        self._model = model
        self._held_by: list[Prefix | None] = [None] * slots
        self._eager = model.config.get_text_config()._attn_implementation == "eager"

    @property
    def free(self) -> int:
        """Slots without a row."""
        return self.cache.slots - len(self.live)

    def take_in(self, rows: list[DecodeState]) -> None:
        """Reads all but the last token of each prompt, which is read with what follows the prompts."""
        first = len(self.live)
        self.live += rows
        for slot, row in enumerate(rows, start=first):
            if row.prefix is not None and self._held_by[slot] is not row.prefix:
                self.cache.put(slot, row.prefix)
            self._held_by[slot] = row.prefix
        for slots in self._passes(first):
            self._read(slots)

    def leave(self, slot: int) -> None:
        """Takes a row out; the one that stands last moves into its slot."""
        last = self.live.pop()
        if slot < len(self.live):
            start = last.shared if self._held_by[slot] is last.prefix else 0
            self.cache.move(len(self.live), slot, start, last.place)
            self.live[slot], self._held_by[slot] = last, last.prefix

    def look(self, ids: torch.Tensor, places: torch.Tensor, seen: torch.Tensor, keep: int = 1) -> torch.Tensor:
        """One pass of the model over tokens (rows, tokens) at their places; gives the scores after the last `keep` tokens of each row.

        `seen` says which columns of the cache each token looks at, (rows or 1, 1, tokens, columns).
        """
        if self._eager:
            seen = torch.zeros(seen.shape, dtype=self._model.dtype, device=seen.device).masked_fill(
                ~seen, torch.finfo(self._model.dtype).min
            )
        out = self._model(
            input_ids=ids, position_ids=places, attention_mask=seen, past_key_values=self.cache, use_cache=True, logits_to_keep=keep
        )
        scores: torch.Tensor = out.logits[:, -keep:]
        return scores

    def _passes(self, first: int) -> Iterator[slice]:
        """The rows from the first on in as few passes as can be; what the rows of one pass share has one length."""
        for _, group in groupby(range(first, len(self.live)), key=lambda slot: self.live[slot].shared):
            slots = list(group)
            count = max(1, READ_AT_ONCE // max(len(self.live[slot].prompt) - self.live[slot].shared for slot in slots))
            yield from (slice(slots[at], slots[at : at + count][-1] + 1) for at in range(0, len(slots), count))

    def _read(self, slots: slice) -> None:
        rows = self.live[slots]
        shared, end = rows[0].shared, max(len(row.prompt) for row in rows) - 1
        if end > shared:
            # Padded behind: what is there is written over before any token looks at it.
            ids = [row.prompt[shared:-1] + [0] * (end + 1 - len(row.prompt)) for row in rows]
            places = self.columns[shared:end]
            self.cache.read(slots, end)
            seen = self.columns[:end] <= places[None, None, :, None]
            self.look(torch.tensor(ids, device=self._model.device), places.expand(len(rows), -1), seen)
