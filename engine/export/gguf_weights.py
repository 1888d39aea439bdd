"""The weights and settings of a decoder of the Llama and Qwen families as GGUF has them. Imports gguf.

After llama.cpp's converter (conversion/llama.py, conversion/qwen.py and conversion/base.py, MIT).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import safe_open

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.export.gguf_vocabulary import CONVERTER
from tuneproof.engine.models.weight_files import weight_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARCHITECTURES = {"llama": "LLAMA", "mistral": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3"}
"""The architecture of GGUF by transformers' `model_type`."""

QUERY, KEY = "self_attn.q_proj", "self_attn.k_proj"


@dataclass(frozen=True)
class GgufModel:
    """A model folder with float32 weights, and its configuration as transformers reads it."""

    folder: Path
    config: Any

    def __post_init__(self) -> None:
        where, config = str(self.folder / "config.json"), self.config
        if config.model_type not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise UsageError(f"models of the type `{config.model_type}` are not converted here, only {known}", where=where, fix=CONVERTER)
        if self._rope.get("rope_type", "default") not in ("default", "llama3") or config.hidden_act != "silu":
            raise UsageError("rotary embeddings or activation of this model are not converted here", where=where, fix=CONVERTER)
        if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
            raise UsageError("attention in a sliding window is not converted here", where=where, fix=CONVERTER)

    @property
    def _rope(self) -> dict[str, Any]:
        return dict(self.config.rope_parameters or {})

    @property
    def head_size(self) -> int:
        """Numbers of one attention head."""
        return int(getattr(self.config, "head_dim", None) or self.config.hidden_size // self.config.num_attention_heads)

    @property
    def architecture(self) -> Any:
        """The architecture as the package gguf names it."""
        import gguf

        return gguf.MODEL_ARCH[ARCHITECTURES[self.config.model_type]]

    def add_settings(self, writer: Any) -> None:
        """Writes the settings of the model."""
        config = self.config
        writer.add_vocab_size(config.vocab_size)
        writer.add_context_length(config.max_position_embeddings)
        writer.add_embedding_length(config.hidden_size)
        writer.add_block_count(config.num_hidden_layers)
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count(config.num_attention_heads)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_key_length(self.head_size)
        writer.add_value_length(self.head_size)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_dimension_count(self.head_size)
        writer.add_rope_freq_base(float(self._rope.get("rope_theta", 10_000.0)))

    def tensors(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Each tensor by its name in GGUF. Raises UsageError for one that GGUF has no name for."""
        import gguf
        import numpy as np

        names = gguf.get_tensor_name_map(self.architecture, self.config.num_hidden_layers)
        for file in weight_files(self.folder):
            with safe_open(self.folder / file, framework="np") as weights:
                for name in weights.keys():  # noqa: SIM118 - it is no dict
                    new = names.get_name(name, try_suffixes=(".weight", ".bias"))
                    if new is None:
                        raise UsageError(f"GGUF has no name for the tensor `{name}`", where=str(self.folder / file), fix=CONVERTER)
                    yield new, self._arranged(name, np.asarray(weights.get_tensor(name), np.float32))
        if self._rope.get("rope_type") == "llama3":
            yield gguf.TENSOR_NAMES[gguf.MODEL_TENSOR.ROPE_FREQS] + ".weight", self._rope_factors()

    def _arranged(self, name: str, weight: NDArray[np.float32]) -> NDArray[np.float32]:
        """Queries and keys of Llama with the two numbers that are rotated together side by side, as Meta published them."""
        if self.architecture.name != "LLAMA" or not (QUERY in name or KEY in name):
            return weight
        heads = self.config.num_attention_heads if QUERY in name else self.config.num_key_value_heads
        return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)

    def _rope_factors(self) -> NDArray[np.float32]:
        """By what Llama 3 divides each frequency (`_compute_llama3_parameters` in transformers' modeling_rope_utils.py)."""
        import numpy as np

        rope, size = self._rope, self.head_size
        low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
        factor, context = float(rope["factor"]), int(rope["original_max_position_embeddings"])
        found = []
        for at in range(0, size, 2):
            wavelength = 2 * math.pi * float(rope["rope_theta"]) ** (at / size)
            smooth = min(1.0, max(0.0, (context / wavelength - low) / (high - low)))
            found.append(1 / ((1 - smooth) / factor + smooth))
        return np.array(found, np.float32)
