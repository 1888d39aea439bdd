"""Examples to token ids and labels: the loss is on the answer and its end alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tuneproof.engine.arms import Arm
from tuneproof.engine.data.example import Example
from tuneproof.engine.models.base_model import BaseCheckpoint

IGNORED = -100
"""The label of a token that is read and not learned; torch's cross-entropy skips it."""


@dataclass(frozen=True)
class EncodedRow:
    """One row as the trainer gets it: both lists have the same length."""

    input_ids: list[int]
    labels: list[int]


def encode_rows(base: BaseCheckpoint, arm: Arm, examples: Iterable[Example]) -> list[EncodedRow]:
    """The rows as the arm asks for them and as they should be answered, whole: nothing is ever cut.

    Raises ValueError for a row that is longer than the model's context, which the audit leaves out before.
    """
    rows = []
    for example in examples:
        messages = arm.messages(example)
        prompt, answer = base.token_ids(base.prompt(messages)), base.target_ids(messages, example.output)
        if len(prompt) + len(answer) > base.context_length:
            raise ValueError(f"{example.source}: {len(prompt)} + {len(answer)} tokens do not fit {base.context_length}")
        rows.append(EncodedRow(prompt + answer, [IGNORED] * len(prompt) + answer))
    return rows
