"""Which rows make a step, and dealing them to its parts and processes: the rows that one would have had, and fillers that teach nothing.

accelerate deals a sampler's batches to the processes in turn, and where they do not come out even it repeats rows, which would then be
learned twice. So every step is filled up to what all processes take of it.

Imports torch, so only the worker and the processes that it starts import this module.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import datasets
from accelerate.data_loader import SeedableRandomSampler
from torch.utils.data import Sampler

from tuneproof.engine.training.tokenize import IGNORED

MEGA_BATCH_STEPS = 50
"""Steps whose rows are sorted together: the `mega_batch_mult` of transformers' `get_length_grouped_indices`."""


def with_dummy_row(dataset: datasets.Dataset, pad: int) -> datasets.Dataset:
    """The sequences, and after them one of which nothing is learned.

    It has two tokens, because what is learned stands after the first.
    """
    filler = {"input_ids": [pad] * 2, "labels": [IGNORED] * 2} | ({"seq_lengths": [2]} if "seq_lengths" in dataset.column_names else {})
    return datasets.concatenate_datasets([dataset, datasets.Dataset.from_list([filler], features=dataset.features)])


@dataclass(frozen=True)
class PaddedBatchSampler(Sampler[int]):
    """The order in which one process would read rows of these lengths, in tokens, each step filled up with the filler after the last row.

    The rows of a step are sorted by length, so that its parts have little padding. `grouped`: rows of like length come into one step.
    """

    lengths: Sequence[int]
    rows_a_step: int
    filled_to: int
    seed: int
    steps_done: Callable[[], int]
    grouped: bool = False

    @property
    def rows(self) -> int:
        """Rows, or packed sequences, of an epoch."""
        return len(self.lengths)

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.rows_a_step)

    def __len__(self) -> int:
        return self.steps * self.filled_to

    def __iter__(self) -> Iterator[int]:
        order = SeedableRandomSampler(range(self.rows), data_seed=self.seed)
        # Counted from the steps: accelerate does not tell the epoch to a sampler whose batches are dealt and the first of them skipped.
        epoch = self.steps_done() // self.steps
        order.set_epoch(epoch)
        shuffled = list(order)
        if self.grouped:
            shuffled = group_by_length(shuffled, self.lengths, self.rows_a_step, random.Random(f"{self.seed} {epoch}"))
        for start in range(0, self.rows, self.rows_a_step):
            step = sorted(shuffled[start : start + self.rows_a_step], key=lambda row: -self.lengths[row])
            yield from step + [self.rows] * (self.filled_to - len(step))


def group_by_length(order: Sequence[int], lengths: Sequence[int], rows_a_step: int, chance: random.Random) -> list[int]:
    """The rows with those of like length in one step, and the steps in an order of their own; one that is not full stays the last.

    Only rows that came near each other are sorted, `MEGA_BATCH_STEPS` steps of them, so that no step has the same rows in every epoch (as
    transformers' `get_length_grouped_indices` does).
    """
    steps: list[list[int]] = []
    for start in range(0, len(order), MEGA_BATCH_STEPS * rows_a_step):
        near = sorted(order[start : start + MEGA_BATCH_STEPS * rows_a_step], key=lambda row: -lengths[row])
        steps += [near[at : at + rows_a_step] for at in range(0, len(near), rows_a_step)]
    last = [steps.pop()] if len(steps[-1]) < rows_a_step else []
    chance.shuffle(steps)
    return [row for step in [*steps, *last] for row in step]
