"""The keys and values of a batch in room set aside beforehand. Imports torch, so only the worker imports this module.

transformers' own cache copies everything it holds at every step; where prompts are long, that takes longer than the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from tuneproof.engine.models.soft_prompt import SoftPromptModel


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


@dataclass
class Window:
    """Where the next pass of a model writes: tokens of some rows that end at one place, or at places of their own, (rows, tokens)."""

    slots: int
    room: int
    every: torch.Tensor
    rows: slice = field(default_factory=lambda: slice(0, 0))
    end: int = 0
    places: torch.Tensor | None = None


class SlotLayer(DynamicLayer):
    """A layer with room for one row a slot, (slots, heads, tokens, width), where each row has its own length."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        # Not the cache itself: memory of a GPU is to be free as soon as the cache is let go, and not when a ring is found.
        self._window = window

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        # What is behind the end of a row is masked, and has to be a number for that: no product with NaN is nothing.
        shape = (self._window.slots, key_states.shape[1], self._window.room)
        self.keys = key_states.new_zeros((*shape, key_states.shape[3]))
        self.values = value_states.new_zeros((*shape, value_states.shape[3]))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        rows, places = self._window.rows, self._window.places
        if places is None:
            start, end = self._window.end - key_states.shape[2], self._window.end
            self.keys[rows, :, start:end] = key_states
            self.values[rows, :, start:end] = value_states
        else:
            every = self._window.every[: len(places), None]
            self.keys[every, :, places] = key_states.transpose(1, 2)
            self.values[every, :, places] = value_states.transpose(1, 2)
        return self.keys[rows, :, : self._window.end], self.values[rows, :, : self._window.end]

    def put(self, slot: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Writes a beginning, (1, heads, tokens, width), into a slot."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
        self.keys[slot, :, : keys.shape[2]] = keys[0]
        self.values[slot, :, : values.shape[2]] = values[0]

    def move(self, source: int, target: int, start: int, end: int) -> None:
        """Copies the tokens from `start` to `end` of one slot to another."""
        if self.is_initialized:
            self.keys[target, :, start:end] = self.keys[source, :, start:end]
            self.values[target, :, start:end] = self.values[source, :, start:end]


class Slots(DynamicCache):
    """A cache of rows that come and go: every row lies at the beginning of its slot, so that its places are its positions.

    Before a pass of the model it is told where the pass writes: `read` for prompts, `step` for what follows them.
    """

    def __init__(self, model: Any, slots: int, room: int) -> None:
        super().__init__(config=model.config)
        self._window = Window(slots, room, torch.arange(slots, device=model.device))
        self.layers: list[SlotLayer] = [SlotLayer(self._window) for _ in self.layers]

    @property
    def slots(self) -> int:
        """How many rows there is room for."""
        return self._window.slots

    @property
    def end(self) -> int:
        """How many columns the next pass looks at."""
        return self._window.end

    def read(self, rows: slice, end: int) -> None:
        """The next pass writes the tokens before `end`, the same of each of the rows."""
        self._window.rows, self._window.end, self._window.places = rows, end, None

    def step(self, places: torch.Tensor, end: int) -> None:
        """The next pass writes tokens of the first rows at places of their own, (rows, tokens); `end` is behind the last of all."""
        self._window.rows, self._window.end, self._window.places = slice(0, len(places)), end, places

    def put(self, slot: int, prefix: Prefix) -> None:
        """Writes a common beginning into a slot."""
        for layer, (keys, values) in zip(self.layers, prefix.layers, strict=True):
            layer.put(slot, keys, values)

    def move(self, source: int, target: int, start: int, end: int) -> None:
        """Copies the tokens from `start` to `end` of one slot to another."""
        for layer in self.layers:
            layer.move(source, target, start, end)


@dataclass(frozen=True)
class Prefix:
    """The keys and values of a common beginning, one pair a layer, each (1, heads, tokens, width)."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    length: int


def has_plain_kv_cache(model: Any) -> bool:
    """Whether the model's cache is keys and values of the tokens it is given, the same whatever follows them.

    Not where there is a sliding window or a recurrent state, where what was learned stands before them, or where positions mean
    other things in longer texts.
    """
    if isinstance(model, SoftPromptModel):
        return False
    if any(kind in str(getattr(model.config.get_text_config(), "rope_parameters", None)) for kind in ("dynamic", "longrope")):
        return False
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)


def kv_bytes_per_token(model: Any) -> int:
    """What the keys and values of one token take in all layers."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * width * model.dtype.itemsize)


@torch.inference_mode()
def encode_prefix(model: Any, tokens: list[int]) -> Prefix | None:
    """Reads a beginning once; none where a layer keeps nothing of its own."""
    cache = DynamicCache(config=model.config)
    ids = torch.tensor([tokens], device=model.device)
    model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    if not all(layer.is_initialized for layer in cache.layers):
        return None
    return Prefix([(layer.keys, layer.values) for layer in cache.layers], len(tokens))


def new_cache(model: Any, rows: int, room: int, prefix: Prefix | None) -> DynamicCache | None:
    """A cache for so many rows and tokens that begins with the prefix; none, for the model's own, where it keeps other things."""
    if not has_plain_kv_cache(model):
        return None
    cache = DynamicCache(config=model.config)
    cache.layers = [InPlaceLayer(room) for _ in cache.layers]
    for layer, (keys, values) in enumerate(prefix.layers if prefix else []):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache
