"""The live probe: the model in training answers validation cases, as it will answer the frozen ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tuneproof.engine.data.example import Example
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.methods.memory import LOGITS_AT_ONCE
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.soft_prompt import with_soft_prompt
from tuneproof.engine.run.events import Sample
from tuneproof.engine.scoring.judges import Judge
from tuneproof.engine.training.checkpoints import ProbeResult
from tuneproof.engine.training.masked_loss import lm_head, summed_cross_entropy, target_logits
from tuneproof.engine.training.tokenize import IGNORED, EncodedRow

PROBES = 6
"""How often a training is probed where the case does not say: twice an epoch where there are three."""

SAMPLES_SHOWN = 3
"""How many answers a probe shows."""

LOSS_ROWS = 8
"""Rows, at most, that a forward pass of the validation loss takes at once."""


@dataclass(frozen=True)
class ValidationProbe:
    """The validation cases with their prompts and encoded answers."""

    base: BaseCheckpoint
    judge: Judge
    cases: Sequence[tuple[str, Example]]
    prompts: Sequence[str]
    encoded: Sequence[EncodedRow]
    max_new_tokens: int

    def run(self, model: Any) -> tuple[ProbeResult, list[Sample]]:
        """Answers and loss of the model as it is now; draws no random number, so training goes on as if nothing had been."""
        was_training = model.training
        model.eval()
        try:
            answering = with_soft_prompt(model)
            completions, _ = Decoder(self.base, answering).complete(self.prompts, self.max_new_tokens)
            loss = self._loss(answering)
        finally:
            model.train(was_training)
        judged = [
            self.judge.judge(c.text, case.output, truncated=c.truncated) for c, (_, case) in zip(completions, self.cases, strict=True)
        ]
        n = len(judged)
        result = ProbeResult(
            n=n,
            format_valid=sum(j.format_valid for j in judged) / n,
            correct=sum(j.correct for j in judged) / n,
            loss=loss,
        )
        samples = [
            Sample(id=name, expected=case.output, output=c.text, correct=j.correct)
            for (name, case), c, j in zip(self.cases, completions, judged, strict=True)
        ]
        return result, samples[:SAMPLES_SHOWN]

    @torch.no_grad()
    def _loss(self, model: Any) -> float:
        """Mean over all answer tokens, in nats."""
        total, tokens, head = 0.0, 0, lm_head(model)
        for rows in self._loss_batches(len(head.weight)):
            ids, labels = pad_right(rows, self.base.tokenizer.pad_token_id)
            mask = torch.arange(ids.shape[1])[None, :] < torch.tensor([len(r.input_ids) for r in rows])[:, None]
            labels = labels.to(model.device)
            read = {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device).long()}
            scores = target_logits(model, head, read, labels)
            total += summed_cross_entropy(scores, labels).item()
            tokens += len(scores)
        return total / tokens

    def _loss_batches(self, vocabulary: int) -> Iterator[list[EncodedRow]]:
        """The rows, those of like length together, a few at a time, and fewer where their logits would be too many."""
        batch: list[EncodedRow] = []
        for row in sorted(self.encoded, key=lambda row: -len(row.input_ids)):
            answers = sum(label != IGNORED for each in [*batch, row] for label in each.labels)
            if batch and (len(batch) == LOSS_ROWS or answers * vocabulary > LOGITS_AT_ONCE):
                yield batch
                batch = []
            batch.append(row)
        yield batch


def is_probe_step(step: int, of: int, every: int | None) -> bool:
    """Whether a probe follows a step: at every so many and at the last; without a number at `PROBES` steps that are spread evenly."""
    if every is not None:
        return step % every == 0 or step == of
    return step * PROBES // of > (step - 1) * PROBES // of


def pad_right(rows: Sequence[EncodedRow], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels of some rows, both (rows, longest), padded to the right."""
    longest = max(len(r.input_ids) for r in rows)
    ids = [r.input_ids + [pad] * (longest - len(r.input_ids)) for r in rows]
    labels = [r.labels + [IGNORED] * (longest - len(r.labels)) for r in rows]
    return torch.tensor(ids), torch.tensor(labels)
