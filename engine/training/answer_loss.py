"""What answers cost a model: the negative log-likelihood of their tokens after their prompts.

Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tuneproof.engine.methods.memory import MAX_LOGITS_PER_CALL
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.training.masked_loss import lm_head, target_logits, target_mask
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow
from tuneproof.engine.training.validation_probe import MAX_LOSS_ROWS, pad_right


def encoded_answer(base: BaseCheckpoint, prompt: str, answer: str, *, ended: bool) -> EncodedRow | None:
    """A prompt and an answer as a model wrote it, with its end token if it ended; None if they do not fit in the context."""
    asked = base.token_ids(prompt)
    written = base.continuation_ids(base.chat.answer_prefix + base.chat.literal(answer)) + base.eos_token_ids[:1] * ended
    if not written or len(asked) + len(written) > base.context_length:
        return None
    return EncodedRow(asked + written, [IGNORE_INDEX] * len(asked) + written)


def answer_tokens(row: EncodedRow) -> int:
    """How many tokens of a row are the answer."""
    return sum(label != IGNORE_INDEX for label in row.labels)


@torch.no_grad()
def answer_losses(base: BaseCheckpoint, model: Any, rows: Sequence[EncodedRow], on_pass: Callable[[], None]) -> list[float]:
    """The summed negative log-likelihood of each row's answer, in nats, in the order of the rows. `on_pass` is called before each pass."""
    head, found = lm_head(model), [0.0] * len(rows)
    vocabulary = len(head.weight)
    waiting = sorted(range(len(rows)), key=lambda at: -len(rows[at].input_ids))
    while waiting:
        longest = max(answer_tokens(rows[at]) for at in waiting[:MAX_LOSS_ROWS])
        count = max(1, min(MAX_LOSS_ROWS, MAX_LOGITS_PER_CALL // (longest * vocabulary)))
        batch, waiting = waiting[:count], waiting[count:]
        on_pass()
        ids, labels = pad_right([rows[at] for at in batch], base.tokenizer.pad_token_id)
        mask = torch.arange(ids.shape[1])[None, :] < torch.tensor([len(rows[at].input_ids) for at in batch])[:, None]
        labels = labels.to(model.device)
        inputs = {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device).long()}
        logits = target_logits(model, head, inputs, labels).float()
        targets = target_mask(labels)
        losses = torch.nn.functional.cross_entropy(logits, labels[:, 1:][targets], reduction="none")
        for at, part in zip(batch, losses.split(targets.sum(1).tolist()), strict=True):
            found[at] = float(part.sum())
    return found
