"""Packing: several rows in one sequence, so that hardly any token is padding, and attention that stays within a row.

Imports torch and trl, so only the processes that train import this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import torch
from trl import pack_dataset

from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.methods.padding import max_packed_length
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

TOKEN_COUNT = "tokens"
"""The key of a batch for its number of tokens, padding excluded; removed before the batch reaches the model."""

FLASH_ATTENTION = {"flash_attention_2", "flash_attention_3"}
"""Attention that transformers keeps within a row by the position ids, but only in a batch of one sequence (`_is_packed_sequence` in
`modeling_flash_attention_utils.py`)."""

PACKABLE_ATTENTION = {"sdpa", "eager", *FLASH_ATTENTION}
"""Attention that can be kept within a row by the position ids alone: in the first two by masks (`masking_utils.py`)."""


@dataclass(frozen=True)
class TrainerData:
    """What a trainer reads."""

    dataset: datasets.Dataset
    lengths: Sequence[int]
    """Tokens of each sequence."""
    collator: PackedCollator | FlatCollator | None
    """None for rows that are not packed: TRL's own collator pads them."""
    batch_size: int
    """Sequences of an optimizer step, over all processes."""


def trainer_data(model: Any, base: BaseCheckpoint, rows: Sequence[EncodedRow], plan: Plan) -> TrainerData:
    """The rows as the plan trains them: one a sequence, or packed.

    A step of packed sequences has about as many rows as the plan's batch size. Raises GateClosed if attention would cross packed rows in
    this model.
    """
    if not plan.packing:
        return TrainerData(_dataset(rows), [len(row.input_ids) for row in rows], None, plan.batch_size)
    if not can_pack(model):
        raise GateClosed(
            f"this model ({model.config.model_type}) cannot be trained on packed rows: attention would cross from row to row",
            where="training.packing",
            fix="leave it out: rows are then padded",
        )
    sequences = pack_rows(rows, base.context_length)
    is_flash = model.config.get_text_config()._attn_implementation in FLASH_ATTENTION
    return TrainerData(
        sequences,
        [sum(lengths) for lengths in sequences["seq_lengths"]],
        FlatCollator() if is_flash else PackedCollator(base.tokenizer.pad_token_id),
        max(1, round(plan.batch_size * len(sequences) / len(rows))),
    )


def can_pack(model: Any) -> bool:
    """Whether packed rows stay apart in this model: every layer has attention that can be masked, and none carries a state along."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    return config._attn_implementation in PACKABLE_ATTENTION and kinds <= {"full_attention", "sliding_attention"}


def pack_rows(rows: Sequence[EncodedRow], context_length: int) -> datasets.Dataset:
    """The rows packed by best-fit decreasing (`bfd` in trl's `pack_dataset`) into sequences that fit the model's context.

    Columns: `input_ids` and `labels`, those of the rows concatenated, and `seq_lengths`, the length of each row.
    """
    longest = max(len(row.input_ids) for row in rows)
    return pack_dataset(_dataset(rows), seq_length=max_packed_length(longest, context_length), strategy="bfd")


def _dataset(rows: Sequence[EncodedRow]) -> datasets.Dataset:
    return datasets.Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in rows])


@dataclass(frozen=True)
class PackedCollator:
    """Pads packed sequences into a batch: `input_ids`, `labels` and `position_ids`, each of shape (sequences, longest).

    Position ids start at 0 with every row, and with the padding, which thus is a row of its own. There is no attention mask: given one,
    transformers ignores the position ids.
    """

    pad_token_id: int

    def __call__(self, sequences: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(each["input_ids"]) for each in sequences)
        ids = torch.full((len(sequences), longest), self.pad_token_id)
        labels = torch.full((len(sequences), longest), IGNORE_INDEX)
        positions = torch.zeros((len(sequences), longest), dtype=torch.long)
        for at, each in enumerate(sequences):
            length = len(each["input_ids"])
            ids[at, :length] = torch.tensor(each["input_ids"])
            labels[at, :length] = torch.tensor(each["labels"])
            positions[at] = _position_ids([*each["seq_lengths"], longest - length])
        count = torch.tensor(sum(len(each["input_ids"]) for each in sequences))
        return {"input_ids": ids, "labels": _without_first_tokens(labels, positions), "position_ids": positions, TOKEN_COUNT: count}


@dataclass(frozen=True)
class FlatCollator:
    """Concatenates packed sequences into one without padding: the same tensors as `PackedCollator`, each of shape (1, tokens)."""

    def __call__(self, sequences: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        positions = _position_ids([length for each in sequences for length in each["seq_lengths"]])[None]
        ids = torch.tensor([[token for each in sequences for token in each["input_ids"]]])
        labels = torch.tensor([[label for each in sequences for label in each["labels"]]])
        count = torch.tensor(ids.numel())
        return {"input_ids": ids, "labels": _without_first_tokens(labels, positions), "position_ids": positions, TOKEN_COUNT: count}


def _position_ids(lengths: Sequence[int]) -> torch.Tensor:
    return torch.cat([torch.arange(length) for length in lengths])


def _without_first_tokens(labels: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """The labels with the first token of every row masked: it would be predicted from the last token of the row before."""
    return labels.masked_fill(positions == 0, IGNORE_INDEX)
