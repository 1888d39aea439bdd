"""Key-value caches with memory allocated in advance. Imports torch, so only the worker imports this module.

`transformers.DynamicCache` concatenates at every step, so it copies the whole cache for each new token. With long prompts the copies take
longer than the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from tuneproof.engine.models.soft_prompt import SoftPromptModel


@dataclass(frozen=True)
class CachedPrefix:
    """Keys and values of a prefix that several prompts share."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    """One pair of keys and values a layer, each of shape (1, heads, length, head_dim)."""
    length: int
    """Tokens of the prefix."""


class PreallocatedLayer(DynamicLayer):
    """A cache layer that writes new keys and values behind the old ones, in place.

    Same interface as `DynamicLayer` of transformers (cache_utils.py). Keys and values have shape (batch, heads, tokens, head_dim).
    """

    def __init__(self, max_length: int) -> None:
        super().__init__()
        self._max_length = max_length

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        self._all_keys = key_states.new_empty((*key_states.shape[:2], self._max_length, key_states.shape[3]))
        self._all_values = value_states.new_empty((*value_states.shape[:2], self._max_length, value_states.shape[3]))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[2]
        self._all_keys[:, :, start:end] = key_states
        self._all_values[:, :, start:end] = value_states
        self.keys, self.values = self._all_keys[:, :, :end], self._all_values[:, :, :end]
        return self.keys, self.values


@dataclass
class WriteWindow:
    """Where the next forward pass writes its keys and values. All layers of a `SlotCache` share one."""

    num_slots: int
    max_length: int
    slot_indices: torch.Tensor
    """0 to num_slots - 1, int64, on the model's device."""
    slots: slice = field(default_factory=lambda: slice(0, 0))
    """The slots that the pass covers."""
    kv_length: int = 0
    """Columns of the cache that the pass attends over."""
    positions: torch.Tensor | None = None
    """Columns to write, (batch, tokens), int64; None if every row writes the columns up to `kv_length`."""


class SlotCacheLayer(DynamicLayer):
    """A cache layer with one slot a sequence, (slots, heads, max_length, head_dim); each slot is filled to its own length."""

    def __init__(self, window: WriteWindow) -> None:
        super().__init__()
        # Not the cache itself: a reference cycle would keep GPU memory until the garbage collector runs.
        self._window = window

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        # Zeros, not empty memory: masked columns are multiplied by 0, and 0 times NaN is NaN.
        shape = (self._window.num_slots, key_states.shape[1], self._window.max_length)
        self.keys = key_states.new_zeros((*shape, key_states.shape[3]))
        self.values = value_states.new_zeros((*shape, value_states.shape[3]))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        slots, positions, end = self._window.slots, self._window.positions, self._window.kv_length
        if positions is None:
            start = end - key_states.shape[2]
            self.keys[slots, :, start:end] = key_states
            self.values[slots, :, start:end] = value_states
        else:
            indices = self._window.slot_indices[: len(positions), None]
            self.keys[indices, :, positions] = key_states.transpose(1, 2)
            self.values[indices, :, positions] = value_states.transpose(1, 2)
        return self.keys[slots, :, :end], self.values[slots, :, :end]

    def write_prefix(self, slot: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Writes a prefix, keys and values of shape (1, heads, tokens, head_dim), to the start of a slot."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
        self.keys[slot, :, : keys.shape[2]] = keys[0]
        self.values[slot, :, : values.shape[2]] = values[0]

    def copy_slot(self, source: int, target: int, start: int, end: int) -> None:
        """Copies the columns from `start` to `end` of one slot to another."""
        if self.is_initialized:
            self.keys[target, :, start:end] = self.keys[source, :, start:end]
            self.values[target, :, start:end] = self.values[source, :, start:end]


class SlotCache(DynamicCache):
    """A cache for sequences that come and go. Every sequence starts at column 0 of its slot, so columns are positions.

    Call `prepare_prefill` or `prepare_decode` before each forward pass to set where the pass writes.
    """

    def __init__(self, model: Any, num_slots: int, max_length: int) -> None:
        super().__init__(config=model.config)
        self._window = WriteWindow(num_slots, max_length, torch.arange(num_slots, device=model.device))
        self.layers: list[SlotCacheLayer] = [SlotCacheLayer(self._window) for _ in self.layers]

    @property
    def num_slots(self) -> int:
        """How many sequences fit at once."""
        return self._window.num_slots

    @property
    def kv_length(self) -> int:
        """Columns that the next pass attends over."""
        return self._window.kv_length

    def prepare_prefill(self, slots: slice, kv_length: int) -> None:
        """The next pass writes the same columns of every slot in `slots`: the last ones before `kv_length`."""
        self._window.slots, self._window.kv_length, self._window.positions = slots, kv_length, None

    def prepare_decode(self, positions: torch.Tensor, kv_length: int) -> None:
        """The next pass covers the first slots and writes each row at its own columns.

        `positions` has shape (batch, tokens), int64; `kv_length` is one more than the largest of them.
        """
        self._window.slots, self._window.kv_length, self._window.positions = slice(0, len(positions)), kv_length, positions

    def write_prefix(self, slot: int, prefix: CachedPrefix) -> None:
        """Writes a shared prefix to the start of a slot, in all layers."""
        for layer, (keys, values) in zip(self.layers, prefix.layers, strict=True):
            layer.write_prefix(slot, keys, values)

    def copy_slot(self, source: int, target: int, start: int, end: int) -> None:
        """Copies the columns from `start` to `end` of one slot to another, in all layers."""
        for layer in self.layers:
            layer.copy_slot(source, target, start, end)


def has_plain_kv_cache(model: Any) -> bool:
    """Whether the model caches keys and values of every token, and later tokens do not change them.

    False for sliding windows, recurrent states, soft prompts, and rotary embeddings that depend on the length of the text.
    """
    if isinstance(model, SoftPromptModel):
        return False
    if any(kind in str(getattr(model.config.get_text_config(), "rope_parameters", None)) for kind in ("dynamic", "longrope")):
        return False
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)


def kv_bytes_per_token(model: Any) -> int:
    """Bytes of the keys and values of one token, over all layers."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * head_dim * model.dtype.itemsize)


@torch.inference_mode()
def prefill_prefix(model: Any, input_ids: list[int]) -> CachedPrefix | None:
    """Runs the model once over a shared prefix. None if a layer has no keys and values of its own, as layers that share them."""
    cache = DynamicCache(config=model.config)
    model(input_ids=torch.tensor([input_ids], device=model.device), past_key_values=cache, use_cache=True, logits_to_keep=1)
    if not all(layer.is_initialized for layer in cache.layers):
        return None
    return CachedPrefix([(layer.keys, layer.values) for layer in cache.layers], len(input_ids))


def preallocated_cache(model: Any, batch_size: int, max_length: int, prefix: CachedPrefix | None) -> DynamicCache | None:
    """A cache of `batch_size` rows and `max_length` tokens that starts with the prefix.

    None if the model does not have a plain cache; `generate` creates the model's own one then.
    """
    if not has_plain_kv_cache(model):
        return None
    cache = DynamicCache(config=model.config)
    cache.layers = [PreallocatedLayer(max_length) for _ in cache.layers]
    for layer, (keys, values) in enumerate(prefix.layers if prefix else []):
        cache.update(keys.expand(batch_size, -1, -1, -1), values.expand(batch_size, -1, -1, -1), layer)
    return cache
