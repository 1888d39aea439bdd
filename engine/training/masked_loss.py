"""Scores where there is something to learn, and nowhere else. Imports torch, so only the worker and its processes import this module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from tuneproof.engine.training.tokenize import IGNORED


def target_mask(labels: torch.Tensor) -> torch.Tensor:
    """Before which tokens, of all but the last place of each row, something is to be learned, (rows, tokens - 1)."""
    return labels[:, 1:] != IGNORED


def lm_head(model: Any) -> torch.nn.Module:
    """What makes scores in a model, or in the base that it stands around."""
    base = getattr(model, "get_base_model", lambda: model)()
    found: torch.nn.Module = base.get_output_embeddings()
    return found


def target_logits(model: Any, head: torch.nn.Module, inputs: Mapping[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
    """The scores of the tokens that are to be learned, (learned, vocabulary): the model's head sees what stands before them alone.

    Where the model puts tokens of its own before every row, labels are of the others.
    """
    places, tokens = target_mask(labels), labels.shape[1]

    def before_learned(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (given[0][:, -tokens:][:, :-1][places][None],)

    hook = head.register_forward_pre_hook(before_learned)
    try:
        scores: torch.Tensor = model(**inputs, use_cache=False).logits[0]
    finally:
        hook.remove()
    return scores


def summed_cross_entropy(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of what is to be learned under its scores, in nats, summed."""
    return torch.nn.functional.cross_entropy(scores.float(), labels[:, 1:][target_mask(labels)], reduction="sum")
