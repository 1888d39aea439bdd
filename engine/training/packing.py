"""Packing: rows side by side in sequences of one length, so that hardly a token is padding and none reads another row.

Imports torch and trl, so only the worker imports this module.
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
from tuneproof.engine.training.tokenize import IGNORED, EncodedRow

TOKEN_COUNT = "tokens"
"""The key of a batch for how many tokens it has; not for the model."""

FLASH_ATTENTION = {"flash_attention_2", "flash_attention_3"}
"""Attention that transformers keeps within a row by the lengths that the positions tell, but only in a batch of one long sequence
(`_is_packed_sequence` in `modeling_flash_attention_utils.py`)."""

SEPARATING_ATTENTION = {"sdpa", "eager", *FLASH_ATTENTION}
"""Attention that can be kept within a row from the positions alone: by masks in the first two (`masking_utils.py`)."""


def can_pack(model: Any) -> bool:
    """Whether packed rows do not read each other in this model: known attention in every layer, and no state that runs through."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    return config._attn_implementation in SEPARATING_ATTENTION and kinds <= {"full_attention", "sliding_attention"}


def pack_rows(rows: Sequence[EncodedRow], at_most: int) -> datasets.Dataset:
    """The rows by best-fit decreasing (trl's `pack_dataset`) in sequences no longer than `at_most`, the model's context.

    Columns: `input_ids` and `labels` of the rows one after the other, `seq_lengths` of each row.
    """
    longest = max(len(row.input_ids) for row in rows)
    plain = datasets.Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in rows])
    return pack_dataset(plain, seq_length=max_packed_length(longest, at_most), strategy="bfd")


@dataclass(frozen=True)
class TrainerData:
    """What a trainer is fed: its sequences, their lengths, how they become a batch (none: as TRL pads), and how many make a step."""

    dataset: datasets.Dataset
    lengths: Sequence[int]
    collator: PackedCollator | FlatCollator | None
    batch_size: int


def trainer_data(model: Any, base: BaseCheckpoint, rows: Sequence[EncodedRow], plan: Plan) -> TrainerData:
    """The rows one by one, or packed where the plan says so: then as many sequences a step as have about the plan's number of rows.

    Raises GateClosed where packed rows would read each other in this model.
    """
    if not plan.packing:
        plain = datasets.Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in rows])
        return TrainerData(plain, [len(row.input_ids) for row in rows], None, plan.batch_size)
    if not can_pack(model):
        raise GateClosed(
            f"packed rows would read each other in this model ({model.config.model_type})",
            where="training.packing",
            fix="leave it out: rows are then padded",
        )
    sequences = pack_rows(rows, base.context_length)
    pad = base.tokenizer.pad_token_id
    flat = model.config.get_text_config()._attn_implementation in FLASH_ATTENTION
    return TrainerData(
        sequences,
        [sum(lengths) for lengths in sequences["seq_lengths"]],
        FlatCollator() if flat else PackedCollator(pad),
        max(1, round(plan.batch_size * len(sequences) / len(rows))),
    )


@dataclass(frozen=True)
class PackedCollator:
    """A batch of packed sequences: ids, labels and positions, each (sequences, longest), and the number of tokens that are no padding.

    Positions begin anew with every row, and with the padding, which so is a row of its own. There is no attention mask, because with one
    transformers reads the positions no more.
    """

    pad: int

    def __call__(self, sequences: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(each["input_ids"]) for each in sequences)
        ids = torch.full((len(sequences), longest), self.pad)
        labels = torch.full((len(sequences), longest), IGNORED)
        positions = torch.zeros((len(sequences), longest), dtype=torch.long)
        for at, each in enumerate(sequences):
            filled = len(each["input_ids"])
            ids[at, :filled] = torch.tensor(each["input_ids"])
            labels[at, :filled] = torch.tensor(each["labels"])
            lengths = [*each["seq_lengths"], longest - filled]
            positions[at] = torch.cat([torch.arange(length) for length in lengths])
        # What follows the last token of a row is the first of the next, which it must not learn.
        labels[positions == 0] = IGNORED
        read = torch.tensor(sum(len(each["input_ids"]) for each in sequences))
        return {"input_ids": ids, "labels": labels, "position_ids": positions, TOKEN_COUNT: read}


@dataclass(frozen=True)
class FlatCollator:
    """The same batch as one long sequence without padding, (1, tokens), for attention that keeps rows apart in no other."""

    def __call__(self, sequences: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        positions = torch.cat([torch.arange(length) for each in sequences for length in each["seq_lengths"]])[None]
        ids = torch.tensor([[token for each in sequences for token in each["input_ids"]]])
        labels = torch.tensor([[label for each in sequences for label in each["labels"]]])
        labels[positions == 0] = IGNORED
        return {"input_ids": ids, "labels": labels, "position_ids": positions, TOKEN_COUNT: torch.tensor(ids.numel())}
