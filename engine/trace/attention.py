"""Where the attention of a model went when it chose a token. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch

from tuneproof.engine.models.soft_prompt import SoftPromptModel
from tuneproof.engine.trace.report import MOST_ATTENDED, Attended, Attention, TokenAttention

MOST_WEIGHTS = 1 << 25
"""Attention weights of one pass: 128 MiB in 32 bits."""


def attention_of(model: Any, name: str, ids: Sequence[int], positions: Iterable[int]) -> Attention:
    """The attention behind the tokens at some positions, from 1: of the token before each, which the model chose it at.

    Computed by transformers' `eager` attention, since the faster ones keep no weights. The model keeps this attention afterwards.
    """
    if isinstance(model, SoftPromptModel):
        return _none(name, "a prompt of virtual tokens has no positions of its own in the text")
    whole = getattr(model, "get_base_model", lambda: model)()
    config = model.config.get_text_config()
    # The name of transformers' own attribute, by which its `generate` tells such models (`generation/utils.py`).
    if getattr(whole, "_is_stateful", False):
        return _none(name, f"this kind of model ({config.model_type}) carries a state along, which has no weights over the text")
    whole.set_attn_implementation("eager")
    found: list[TokenAttention] = []
    for queries in _runs([position - 2 for position in positions if position > 1], _block(config, len(ids))):
        weights = _weights(model, ids[: queries[-1] + 1], len(queries))
        if weights is None:
            return _none(name, f"this kind of model ({config.model_type}) gives no attention weights for the whole text")
        last, mean = weights
        found += [_token_attention(query, last[at], mean[at]) for at, query in enumerate(queries)]
    return Attention(model=name, layers=int(config.num_hidden_layers), heads=int(config.num_attention_heads), tokens=found)


@torch.no_grad()
def _weights(model: Any, ids: Sequence[int], queries: int) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The attention of the last `queries` tokens, mean over heads: in the last layer, and over all layers; each (queries, tokens)."""
    tokens = torch.tensor([list(ids)], device=model.device)
    before = tokens.shape[1] - queries
    cache = model(input_ids=tokens[:, :before], use_cache=True).past_key_values if before else None
    output = model(input_ids=tokens[:, before:], past_key_values=cache, use_cache=True, output_attentions=True)
    # Layers with a window or a state see only a part of the text.
    whole = [layer[0].float().mean(0) for layer in output.attentions or () if layer is not None and layer.shape[-1] == tokens.shape[1]]
    return (whole[-1].cpu(), torch.stack(whole).mean(0).cpu()) if whole else None


def _token_attention(query: int, last: torch.Tensor, mean: torch.Tensor) -> TokenAttention:
    top = torch.topk(last[: query + 1], min(MOST_ATTENDED, query + 1)).indices.tolist()
    attended = [Attended(position=at + 1, last_layer=round(float(last[at]), 4), all_layers=round(float(mean[at]), 4)) for at in top]
    return TokenAttention(position=query + 2, attended=attended)


def _block(config: Any, tokens: int) -> int:
    """The tokens whose attention one pass may keep."""
    return max(1, int(MOST_WEIGHTS // (config.num_hidden_layers * config.num_attention_heads * tokens)))


def _runs(queries: Iterable[int], most: int) -> list[list[int]]:
    """The indices in runs without a gap, each of at most so many."""
    ordered = sorted(set(queries))
    runs = [ordered[:1]] if ordered else []
    for before, now in pairwise(ordered):
        if now == before + 1 and len(runs[-1]) < most:
            runs[-1].append(now)
        else:
            runs.append([now])
    return runs


def _none(name: str, why: str) -> Attention:
    return Attention(model=name, layers=0, heads=0, tokens=[], why_none=why)
