"""Decoding with a soft prompt (prompt tuning, prefix tuning, P-tuning). Imports torch, so only the worker imports this module.

PEFT's own `generate` (peft_model.py, `PeftModelForCausalLM`) puts the virtual tokens before the padding and counts positions through both,
so an answer would depend on the lengths of the other prompts in its batch. Here the virtual tokens are in the cache before a batch starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache

Processor = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A logits processor of transformers: (input_ids, scores) to scores."""


def with_soft_prompt(model: Any) -> Any:
    """The model wrapped in a `SoftPromptModel` if it is a PEFT model with virtual tokens; the model itself if not."""
    config = getattr(model, "active_peft_config", None)
    return SoftPromptModel(model) if config is not None and config.is_prompt_learning else model


class SoftPromptModel:
    """A base model that reads the virtual tokens of a PEFT model before every row. Padding has no position."""

    def __init__(self, model: Any) -> None:
        self._model, self._base = model, model.get_base_model()
        self._virtual_tokens: int = model.active_peft_config.num_virtual_tokens

    def get_base_model(self) -> Any:
        """The base, as in PEFT's models."""
        return self._base

    @property
    def config(self) -> Any:
        """The base's config."""
        return self._base.config

    @property
    def device(self) -> torch.device:
        """The base's device."""
        device: torch.device = self._base.device
        return device

    @property
    def training(self) -> bool:
        """Whether the model is in training mode."""
        return bool(self._model.training)

    def train(self, mode: bool = True) -> None:
        """Sets training mode, as `torch.nn.Module.train`."""
        self._model.train(mode)

    def eval(self) -> None:
        """Sets evaluation mode, as `torch.nn.Module.eval`."""
        self._model.eval()

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **kwargs: Any) -> Any:
        """One forward pass over a batch that is padded on the right; gives the base's output, without logits for virtual tokens.

        `input_ids` and `attention_mask` have shape (batch, tokens), int64; the logits have shape (batch, tokens, vocab_size).
        """
        mask = self._prepend(attention_mask, 1)
        return self._base(input_ids=input_ids, attention_mask=mask, past_key_values=self._virtual_token_cache(len(input_ids)), **kwargs)

    def generate(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        max_new_tokens: int,
        logits_processor: Sequence[Processor] | None = None,
        past_key_values: None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """As `generate` of transformers, for a batch that is padded on the left.

        `input_ids` and `attention_mask` have shape (batch, tokens), int64. The result has shape (batch, tokens + new tokens), int64: the
        prompts and what follows them, without virtual tokens.
        """
        available = self.config.get_text_config().max_position_embeddings - input_ids.shape[1] - self._virtual_tokens
        output = self._base.generate(
            # The ids before the prompt are placeholders: the cache already covers those positions.
            input_ids=self._prepend(input_ids, 0),
            attention_mask=self._prepend(attention_mask, 1),
            past_key_values=self._virtual_token_cache(len(input_ids)),
            max_new_tokens=max(1, min(max_new_tokens, available)),
            logits_processor=[self._without_virtual_tokens(processor) for processor in logits_processor or []],
            **kwargs,
        )
        generated: torch.Tensor = output[:, self._virtual_tokens :]
        return generated

    def _prepend(self, rows: torch.Tensor, value: int) -> torch.Tensor:
        """Rows of shape (batch, tokens) with `value` in front for each virtual token."""
        return torch.cat([rows.new_full((len(rows), self._virtual_tokens), value), rows], dim=1)

    def _without_virtual_tokens(self, processor: Processor) -> Processor:
        return lambda input_ids, scores: processor(input_ids[:, self._virtual_tokens :], scores)

    @torch.no_grad()
    def _virtual_token_cache(self, batch_size: int) -> DynamicCache:
        """A new cache with the virtual tokens in every row."""
        if self._model.active_peft_config.peft_type == "PREFIX_TUNING":
            return self._model.get_prompt(batch_size=batch_size)
        cache = DynamicCache(config=self.config)
        embeddings = self._model.get_prompt(batch_size=1).to(self._base.dtype)
        self._base.base_model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(batch_size)
        return cache
