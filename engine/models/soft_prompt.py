"""A model whose prompt was learned, made to answer as it was trained. Imports torch, so only the worker imports this module.

PEFT's own `generate` puts the virtual tokens before the padding and counts positions through both, so an answer would depend on how long
the other rows of its batch are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache

Processor = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def with_soft_prompt(model: Any) -> Any:
    """The model itself, or with what it learned before every row where that is a prompt."""
    learned = getattr(model, "active_peft_config", None)
    return SoftPromptModel(model) if learned is not None and learned.is_prompt_learning else model


class SoftPromptModel:
    """The base, with what was learned in its cache before any row is read; positions count what is there, and no padding."""

    def __init__(self, model: Any) -> None:
        self._model, self._base = model, model.get_base_model()
        self._tokens: int = model.active_peft_config.num_virtual_tokens

    def get_base_model(self) -> Any:
        """The base, as PEFT's models have it."""
        return self._base

    @property
    def config(self) -> Any:
        """The base's."""
        return self._base.config

    @property
    def device(self) -> torch.device:
        """Where rows have to be."""
        device: torch.device = self._base.device
        return device

    @property
    def training(self) -> bool:
        """Whether the model is being trained."""
        return bool(self._model.training)

    def train(self, mode: bool = True) -> None:
        """As torch's modules have it."""
        self._model.train(mode)

    def eval(self) -> None:
        """As torch's modules have it."""
        self._model.eval()

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **more: Any) -> Any:
        """One pass over rows that are padded on the right: logits of these rows alone."""
        mask = self._before(attention_mask, 1)
        return self._base(input_ids=input_ids, attention_mask=mask, past_key_values=self._cache(len(input_ids)), **more)

    def generate(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        max_new_tokens: int,
        logits_processor: Sequence[Processor] | None = None,
        past_key_values: None = None,
        **more: Any,
    ) -> torch.Tensor:
        """Answers to rows that are padded on the left, as transformers gives them: the rows, then what was written."""
        room = self.config.get_text_config().max_position_embeddings - input_ids.shape[1] - self._tokens
        output = self._base.generate(
            # What stands here is never read: the cache has these places already.
            input_ids=self._before(input_ids, 0),
            attention_mask=self._before(attention_mask, 1),
            past_key_values=self._cache(len(input_ids)),
            max_new_tokens=max(1, min(max_new_tokens, room)),
            logits_processor=[self._seeing_rows(processor) for processor in logits_processor or []],
            **more,
        )
        answered: torch.Tensor = output[:, self._tokens :]
        return answered

    def _before(self, rows: torch.Tensor, value: int) -> torch.Tensor:
        return torch.cat([rows.new_full((len(rows), self._tokens), value), rows], dim=1)

    def _seeing_rows(self, processor: Processor) -> Processor:
        return lambda ids, scores: processor(ids[:, self._tokens :], scores)

    @torch.no_grad()
    def _cache(self, rows: int) -> DynamicCache:
        """A new cache in which every row has what was learned."""
        if self._model.active_peft_config.peft_type == "PREFIX_TUNING":
            return self._model.get_prompt(batch_size=rows)
        cache = DynamicCache(config=self.config)
        learned = self._model.get_prompt(batch_size=1).to(self._base.dtype)
        self._base.base_model(inputs_embeds=learned, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(rows)
        return cache
