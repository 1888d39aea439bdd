"""The shape of a language model from its config.json: all that the memory prediction needs, without weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LLAMA_LIKE_TYPES = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "olmo2", "smollm3", "granite")
"""Model types with Llama's architecture: attention with four matrices, a gated MLP with three, a norm before each."""


class UnsupportedArchitecture(ValueError):
    """The memory prediction does not cover this config: another architecture, mixture of experts, or a missing key."""


@dataclass(frozen=True)
class ModelShape:
    """The dimensions of a decoder with Llama's architecture."""

    hidden: int
    layers: int
    heads: int
    query_width: int
    """Output width of the query projection: heads times head dimension."""
    key_width: int
    """Output width of the key and of the value projection."""
    intermediate: int
    vocabulary: int
    tied: bool
    """Whether the LM head shares the weights of the input embedding."""

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The matrices of one layer by name, each with its (input, output) width."""
        return {
            "q": (self.hidden, self.query_width),
            "k": (self.hidden, self.key_width),
            "v": (self.hidden, self.key_width),
            "o": (self.query_width, self.hidden),
            "gate": (self.hidden, self.intermediate),
            "up": (self.hidden, self.intermediate),
            "down": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        """Parameters of the matrices of all layers, which are what quantisation and adapters apply to."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linears.values())

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the input embedding, and of the LM head unless it is tied."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """All parameters, without biases and the norms inside attention, which are below one in a thousand."""
        return self.linear_parameters + self.embedding_parameters + self.hidden * (2 * self.layers + 1)

    def adapter_parameters(self, rank: int, targets: tuple[str, ...] | None = None) -> int:
        """Parameters of LoRA on the named matrices, or on all: rank * (inputs + outputs) each (Hu et al. 2021, section 4.1)."""
        adapted = [self.linears[name] for name in targets or self.linears]
        return self.layers * rank * sum(inputs + outputs for inputs, outputs in adapted)


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """The shape in a parsed config.json. Raises UnsupportedArchitecture if the model does not have Llama's architecture."""
    config = {**config, **(config.get("text_config") or {})}
    family = config.get("model_type", "")
    if family not in LLAMA_LIKE_TYPES:
        raise UnsupportedArchitecture(f"memory cannot be predicted for model type `{family}`, whose architecture is not Llama's")
    try:
        hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        head = int(config.get("head_dim") or hidden // heads)
        return ModelShape(
            hidden=hidden,
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            query_width=heads * head,
            key_width=int(config.get("num_key_value_heads") or heads) * head,
            intermediate=int(config["intermediate_size"]),
            vocabulary=int(config["vocab_size"]),
            tied=bool(config.get("tie_word_embeddings", "gemma" in family)),
        )
    except KeyError as error:
        raise UnsupportedArchitecture(f"the model's config.json has no `{error.args[0]}`") from None


def read_shape(folder: Path) -> ModelShape:
    """The shape of the model in a folder. Raises UnsupportedArchitecture if its config.json is missing or not of Llama's architecture."""
    try:
        return shape_of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise UnsupportedArchitecture(f"the model's config.json cannot be read: {error}") from None


def known_shape(folder: Path) -> ModelShape | None:
    """The shape of the model in a folder; None for an architecture that is not known."""
    try:
        return read_shape(folder)
    except UnsupportedArchitecture:
        return None
