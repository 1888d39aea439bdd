"""The shape of a language model, as its config.json tells it: all that a prediction of memory needs, and no weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LLAMA_LIKE_TYPES = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "olmo2", "smollm3", "granite")
"""Model types built as Llama is: attention with four matrices, a gated MLP with three, a norm before each."""


class UnsupportedArchitecture(ValueError):
    """The config is none that this module can count: another family, experts, or a key that is missing."""


@dataclass(frozen=True)
class ModelShape:
    """A Llama-like decoder: `queries` and `keys` are the widths of the query and of the key projection."""

    hidden: int
    layers: int
    heads: int
    queries: int
    keys: int
    intermediate: int
    vocabulary: int
    tied: bool

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The matrices of one layer by name, each with its input and output width."""
        return {
            "q": (self.hidden, self.queries),
            "k": (self.hidden, self.keys),
            "v": (self.hidden, self.keys),
            "o": (self.queries, self.hidden),
            "gate": (self.hidden, self.intermediate),
            "up": (self.hidden, self.intermediate),
            "down": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        """The parameters of all layers' matrices: what quantisation shrinks, and what an adapter stands beside."""
        return self.layers * sum(wide * out for wide, out in self.linears.values())

    @property
    def embedding_parameters(self) -> int:
        """The parameters of the input embedding, and of the output matrix where that is another."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """All parameters; biases and the small norms inside attention, below one in a thousand, are left out."""
        return self.linear_parameters + self.embedding_parameters + self.hidden * (2 * self.layers + 1)

    def adapter_parameters(self, rank: int, targets: tuple[str, ...] | None = None) -> int:
        """The parameters of LoRA with this rank beside the named matrices, or all: r(in + out) each (Hu et al. 2021, section 4.1)."""
        each = [self.linears[name] for name in targets or self.linears]
        return self.layers * rank * sum(wide + out for wide, out in each)


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """The shape that a parsed config.json tells. Raises UnknownShape where it is not that of a Llama-like decoder."""
    config = {**config, **(config.get("text_config") or {})}
    family = config.get("model_type", "")
    if family not in LLAMA_LIKE_TYPES:
        raise UnsupportedArchitecture(f"memory cannot be predicted for model type `{family}`, which is not built as Llama is")
    try:
        hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        head = int(config.get("head_dim") or hidden // heads)
        return ModelShape(
            hidden=hidden,
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            queries=heads * head,
            keys=int(config.get("num_key_value_heads") or heads) * head,
            intermediate=int(config["intermediate_size"]),
            vocabulary=int(config["vocab_size"]),
            tied=bool(config.get("tie_word_embeddings", "gemma" in family)),
        )
    except KeyError as error:
        raise UnsupportedArchitecture(f"the model's config.json has no `{error.args[0]}`") from None


def read_shape(folder: Path) -> ModelShape:
    """The shape of the model in a folder. Raises UnknownShape where its config.json is missing or not that of a Llama-like decoder."""
    try:
        return shape_of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise UnsupportedArchitecture(f"the model has no config.json that can be read: {error}") from None
