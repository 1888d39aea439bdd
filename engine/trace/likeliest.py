"""The likeliest next tokens at each position of an expected answer. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from tuneproof.engine.methods.memory import MAX_LOGITS_PER_CALL
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.trace.report import LIKELIEST, NextToken, NextTokens
from tuneproof.engine.trace.tokens import next_text
from tuneproof.engine.training.masked_loss import lm_head, target_logits
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow


@torch.no_grad()
def likeliest_tokens(base: BaseCheckpoint, model: Any, row: EncodedRow) -> list[NextTokens]:
    """What the model expects at each target of the row, after all tokens of the row before it: as the loss of training asks it."""
    head = lm_head(model)
    ids = torch.tensor([row.input_ids], device=model.device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    found = []
    for part in _parts(row, max(1, MAX_LOGITS_PER_CALL // len(head.weight))):
        targets = [at for at, label in enumerate(part.labels) if label != IGNORE_INDEX]
        logits = target_logits(model, head, inputs, torch.tensor([part.labels], device=model.device)).float().cpu()
        for at, scores in zip(targets, logits, strict=True):
            found.append(_next_tokens(base, row.input_ids[at - 1], row.input_ids[at], scores))
    return found


def _next_tokens(base: BaseCheckpoint, before: int, expected: int, scores: torch.Tensor) -> NextTokens:
    """The likeliest of all tokens, from their logits (vocabulary)."""
    probabilities = torch.softmax(scores, 0)
    top = torch.topk(probabilities, min(LIKELIEST, len(scores)))
    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return NextTokens(
        likeliest=[NextToken(id=token, text=_text(base, before, token), probability=round(p, 6)) for token, p in pairs],
        expected=round(float(probabilities[expected]), 6),
        rank=int((scores > scores[expected]).sum()) + 1,
    )


def _text(base: BaseCheckpoint, before: int, token: int) -> str:
    """The text of a token; a model may have more logits than its tokenizer has tokens."""
    return next_text(base, before, token) if token < len(base.tokenizer) else f"<{token}>"


def _parts(row: EncodedRow, most: int) -> Iterator[EncodedRow]:
    """The row with a part of its targets at a time, so that their logits fit into memory."""
    targets = [at for at, label in enumerate(row.labels) if label != IGNORE_INDEX]
    for start in range(0, len(targets), most):
        kept = set(targets[start : start + most])
        yield replace(row, labels=[label if at in kept else IGNORE_INDEX for at, label in enumerate(row.labels)])
