"""Examples as token ids and labels: the loss is on the answer and its end token alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tuneproof.engine.arms import Arm
from tuneproof.engine.data.example import Example
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.chat_format import refused_at

IGNORE_INDEX = -100
"""The label of a masked token: the default `ignore_index` of torch's cross-entropy."""


@dataclass(frozen=True)
class EncodedRow:
    """One row for the trainer: token ids and labels, both of the same length."""

    input_ids: list[int]
    labels: list[int]

    @property
    def prompt_length(self) -> int:
        """The masked tokens before the first target; all tokens if every label is masked."""
        return next((at for at, label in enumerate(self.labels) if label != IGNORE_INDEX), len(self.labels))


def encode_rows(base: BaseCheckpoint, arm: Arm, examples: Iterable[Example]) -> list[EncodedRow]:
    """Each example as the arm's prompt, masked, followed by the answer; rows are never truncated.

    Raises TemplateRefused for a row whose turns the base's chat template refuses, and ValueError for a row that is longer than the model's
    context; the audit leaves such rows out beforehand.
    """
    rows = []
    for example in examples:
        row = encode_row(base, arm, example)
        if len(row.input_ids) > base.context_length:
            answer = len(row.input_ids) - row.prompt_length
            raise ValueError(f"{example.source}: {row.prompt_length} + {answer} tokens do not fit {base.context_length}")
        rows.append(row)
    return rows


def encode_row(base: BaseCheckpoint, arm: Arm, example: Example) -> EncodedRow:
    """One example in the same way, however long it is. Raises TemplateRefused."""
    messages = arm.messages(example)
    with refused_at(str(example.source)):
        prompt, answer = base.token_ids(base.prompt(messages)), base.target_ids(messages, example.output)
    return EncodedRow(prompt + answer, [IGNORE_INDEX] * len(prompt) + answer)
