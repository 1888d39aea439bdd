"""The keys and values of a batch in room set aside beforehand. Imports torch, so only the worker imports this module.

transformers' own cache copies everything it holds at every step; where prompts are long, that takes longer than the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from tuneproof.engine.learned_prompt import LearnedPrompt


class InPlaceLayer(DynamicLayer):
    """A layer whose new keys and values, (rows, heads, tokens, width), are written behind the old ones; nothing is copied."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        self._all_keys = key_states.new_empty((*key_states.shape[:2], self._room, key_states.shape[3]))
        self._all_values = value_states.new_empty((*value_states.shape[:2], self._room, value_states.shape[3]))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[2]
        self._all_keys[:, :, start:end] = key_states
        self._all_values[:, :, start:end] = value_states
        self.keys, self.values = self._all_keys[:, :, :end], self._all_values[:, :, :end]
        return self.keys, self.values


@dataclass(frozen=True)
class Prefix:
    """The keys and values of a common beginning, one pair a layer, each (1, heads, tokens, width)."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]


def keeps_every_token(model: Any) -> bool:
    """Whether the model's cache is keys and values of all tokens; a sliding window, a recurrent state or a learned prompt otherwise."""
    # A learned prompt stands in a cache of its own making.
    if isinstance(model, LearnedPrompt):
        return False
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)


@torch.inference_mode()
def encode_prefix(model: Any, tokens: list[int]) -> Prefix | None:
    """Reads a beginning once; none where a layer keeps nothing of its own."""
    cache = DynamicCache(config=model.config)
    ids = torch.tensor([tokens], device=model.device)
    model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    if not all(layer.is_initialized for layer in cache.layers):
        return None
    return Prefix([(layer.keys, layer.values) for layer in cache.layers])


def new_cache(model: Any, rows: int, room: int, prefix: Prefix | None) -> DynamicCache | None:
    """A cache for so many rows and tokens that begins with the prefix; none, for the model's own, where it keeps other things."""
    if not keeps_every_token(model):
        return None
    cache = DynamicCache(config=model.config)
    cache.layers = [InPlaceLayer(room) for _ in cache.layers]
    for layer, (keys, values) in enumerate(prefix.layers if prefix else []):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache
