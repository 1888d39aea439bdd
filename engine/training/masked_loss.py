"""The loss on target tokens alone: logits are computed for them and for no masked token.

Imports torch, so only the processes that train import this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from tuneproof.engine.training.tokenize import IGNORE_INDEX


def target_mask(labels: torch.Tensor) -> torch.Tensor:
    """Mask of the positions whose next token is a target, shape (batch, seq - 1), from labels of shape (batch, seq)."""
    return labels[:, 1:] != IGNORE_INDEX


def lm_head(model: Any) -> torch.nn.Module:
    """The LM head of a model, or of the base inside a PEFT model; its weight has the shape (vocabulary, hidden)."""
    base = getattr(model, "get_base_model", lambda: model)()
    head: torch.nn.Module = base.get_output_embeddings()
    return head


def target_logits(model: Any, head: torch.nn.Module, inputs: Mapping[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
    """The logits of the target tokens, shape (targets, vocabulary), in the order of the batch.

    A hook hands the LM head the hidden states at `target_mask` only. A soft prompt puts positions in front of every row; labels of shape
    (batch, seq) are then those of the last seq positions.
    """
    mask, length = target_mask(labels), labels.shape[1]

    def keep_targets(_: torch.nn.Module, hidden: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (hidden[0][:, -length:][:, :-1][mask][None],)

    hook = head.register_forward_pre_hook(keep_targets)
    try:
        logits: torch.Tensor = model(**inputs, use_cache=False).logits[0]
    finally:
        hook.remove()
    return logits


def summed_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of the target tokens in nats, summed, from their logits (targets, vocabulary) and labels (batch, seq)."""
    return torch.nn.functional.cross_entropy(logits.float(), labels[:, 1:][target_mask(labels)], reduction="sum")
