"""The validation probe: the model in training answers validation cases as it will answer the frozen ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tuneproof.engine.case.task import Metric
from tuneproof.engine.data.example import Example
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.decoding.watch import OnPass, Watch
from tuneproof.engine.methods.memory import MAX_LOGITS_PER_CALL
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.soft_prompt import with_soft_prompt
from tuneproof.engine.run.events import Sample
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.predictions import grade_output
from tuneproof.engine.scoring.script_scorer import ScriptScorer
from tuneproof.engine.scoring.variant_selection import deciding_score
from tuneproof.engine.training.checkpoints import ProbeResult
from tuneproof.engine.training.masked_loss import lm_head, summed_cross_entropy, target_logits
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

SAMPLES_SHOWN = 3
"""Answers that a probe's event carries."""

MAX_LOSS_ROWS = 8
"""Most rows in a forward pass of the validation loss."""


@dataclass(frozen=True)
class ValidationProbe:
    """The validation cases of a training; `cases`, `prompts` and `encoded` are in the same order."""

    base: BaseCheckpoint
    measure: Measure
    cases: Sequence[tuple[str, Example]]  # with the name of each
    prompts: Sequence[str]
    encoded: Sequence[EncodedRow]
    max_new_tokens: int
    ends_with_document: bool = False
    """Whether an answer ends where its JSON document closes, as the answers of the tuned arm do."""
    script: ScriptScorer | None = None
    """Asks the script of the case about each answer, if its metric is one."""

    def run(
        self,
        model: Any,
        on_progress: Callable[[int, int], None] = lambda done, of: None,
        on_pass: OnPass = lambda: None,
    ) -> tuple[ProbeResult, list[Sample]]:
        """Scores the model as it is now, and returns some of its answers. `on_progress` is called with how many of how many there are.

        `on_pass` is called between two passes of the model, and what it raises ends the probe.
        Draws no random number and restores the training mode, so training goes on as if there had been no probe.
        """
        was_training = model.training
        model.eval()
        try:
            answering = with_soft_prompt(model)
            completions, _ = Decoder(self.base, answering).complete(
                self.prompts, self.max_new_tokens, ends_with_document=self.ends_with_document, watch=Watch(on_progress, on_pass=on_pass)
            )
            loss = self._loss(answering, on_pass)
        finally:
            model.train(was_training)
        answers = [
            grade_output(
                name,
                prompt,
                completion.text,
                case.output,
                self.measure.grader,
                truncated=completion.truncated,
                prompt_tokens=completion.prompt_tokens,
                output_tokens=completion.completion_tokens,
            )
            for (name, case), prompt, completion in zip(self.cases, self.prompts, completions, strict=True)
        ]
        if self.script is not None:
            answers = self.script.scored(answers, self.cases, on_progress)
        n = len(answers)
        result = ProbeResult(
            n=n,
            format_valid=sum(answer.format_valid for answer in answers) / n,
            correct=sum(answer.correct for answer in answers) / n,
            loss=loss,
            # A judge is not asked at every probe, and may not fit beside a model in training: the loss chooses.
            score=-loss if self.measure.metric is Metric.PREFERENCE else deciding_score(answers, self.measure),
        )
        samples = [Sample(id=a.id, expected=a.expected, output=a.output, correct=a.correct) for a in answers]
        return result, samples[:SAMPLES_SHOWN]

    @torch.no_grad()
    def _loss(self, model: Any, on_pass: OnPass) -> float:
        """Mean cross-entropy over all target tokens, in nats."""
        summed, targets, head = 0.0, 0, lm_head(model)
        for rows in self._loss_batches(len(head.weight)):
            on_pass()
            ids, labels = pad_right(rows, self.base.tokenizer.pad_token_id)
            mask = torch.arange(ids.shape[1])[None, :] < torch.tensor([len(r.input_ids) for r in rows])[:, None]
            labels = labels.to(model.device)
            inputs = {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device).long()}
            logits = target_logits(model, head, inputs, labels)
            summed += summed_cross_entropy(logits, labels).item()
            targets += len(logits)
        return summed / targets

    def _loss_batches(self, vocabulary: int) -> Iterator[list[EncodedRow]]:
        """The rows in batches of similar length, small enough for the logits of their target tokens to be in memory at once."""
        batch: list[EncodedRow] = []
        for row in sorted(self.encoded, key=lambda row: -len(row.input_ids)):
            targets = sum(label != IGNORE_INDEX for each in [*batch, row] for label in each.labels)
            if batch and (len(batch) == MAX_LOSS_ROWS or targets * vocabulary > MAX_LOGITS_PER_CALL):
                yield batch
                batch = []
            batch.append(row)
        yield batch


def pad_right(rows: Sequence[EncodedRow], pad_token_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels of the rows, both of shape (rows, longest), padded on the right."""
    longest = max(len(r.input_ids) for r in rows)
    ids = [r.input_ids + [pad_token_id] * (longest - len(r.input_ids)) for r in rows]
    labels = [r.labels + [IGNORE_INDEX] * (longest - len(r.labels)) for r in rows]
    return torch.tensor(ids), torch.tensor(labels)
