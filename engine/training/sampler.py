"""The order of the rows: which rows make a step, and how a step is divided among micro-batches and processes.

accelerate's `BatchSamplerShard` gives the batches of a sampler to the processes in turn. If they do not come out even, it repeats rows
(`even_batches`), which would count twice in the loss. So every step is padded here with dummy rows, whose labels are all masked.

Imports torch, so only the processes that train import this module.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import datasets
from accelerate.data_loader import SeedableRandomSampler
from torch.utils.data import Sampler

from tuneproof.engine.training.tokenize import IGNORE_INDEX

MEGA_BATCH_STEPS = 50
"""Steps whose rows are sorted together: the `mega_batch_mult` of transformers' `get_length_grouped_indices` (`trainer_pt_utils.py`)."""


def with_dummy_row(dataset: datasets.Dataset, pad_token_id: int) -> datasets.Dataset:
    """The dataset with one more row at its end, whose labels are all masked.

    It has two tokens, because the first token of a row is never a target.
    """
    dummy = {"input_ids": [pad_token_id] * 2, "labels": [IGNORE_INDEX] * 2}
    if "seq_lengths" in dataset.column_names:
        dummy["seq_lengths"] = [2]
    return datasets.concatenate_datasets([dataset, datasets.Dataset.from_list([dummy], features=dataset.features)])


@dataclass(frozen=True)
class PaddedBatchSampler(Sampler[int]):
    """Row indices of one epoch after another, with every step padded to `padded_batch_size` by the index of the dummy row.

    A step has the rows that a single process would have in it, longest first, so that its micro-batches have little padding. With
    `grouped`, rows of similar length come into one step.
    """

    lengths: Sequence[int]
    """Tokens of each row, or of each packed sequence; the dummy row follows the last."""
    batch_size: int
    """Rows of a step."""
    padded_batch_size: int
    """Rows that all processes take in a step, dummy rows included."""
    seed: int
    steps_done: Callable[[], int]
    """Optimizer steps taken so far, over all epochs."""
    grouped: bool = False

    @property
    def rows(self) -> int:
        """Rows, or packed sequences, of an epoch; also the index of the dummy row."""
        return len(self.lengths)

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch_size)

    def __len__(self) -> int:
        return self.steps * self.padded_batch_size

    def __iter__(self) -> Iterator[int]:
        order = SeedableRandomSampler(range(self.rows), data_seed=self.seed)
        # From the steps: accelerate does not call `set_epoch` on a sampler that is sharded and whose first batches are skipped.
        epoch = self.steps_done() // self.steps
        order.set_epoch(epoch)
        shuffled = list(order)
        if self.grouped:
            shuffled = group_by_length(shuffled, self.lengths, self.batch_size, random.Random(f"{self.seed} {epoch}"))
        for start in range(0, self.rows, self.batch_size):
            step = sorted(shuffled[start : start + self.batch_size], key=lambda row: -self.lengths[row])
            yield from step + [self.rows] * (self.padded_batch_size - len(step))


def group_by_length(order: Sequence[int], lengths: Sequence[int], batch_size: int, rng: random.Random) -> list[int]:
    """The row indices reordered so that a step has rows of similar length, with the steps shuffled; an incomplete step stays last.

    Rows are sorted within `MEGA_BATCH_STEPS` steps of the given order, as in transformers' `get_length_grouped_indices`, so that a step
    does not have the same rows in every epoch.
    """
    steps: list[list[int]] = []
    for start in range(0, len(order), MEGA_BATCH_STEPS * batch_size):
        mega_batch = sorted(order[start : start + MEGA_BATCH_STEPS * batch_size], key=lambda row: -lengths[row])
        steps += [mega_batch[at : at + batch_size] for at in range(0, len(mega_batch), batch_size)]
    last = [steps.pop()] if len(steps[-1]) < batch_size else []
    rng.shuffle(steps)
    return [row for step in [*steps, *last] for row in step]
