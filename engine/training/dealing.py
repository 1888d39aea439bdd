"""Dealing the rows of each step to several processes: the rows that one process would have had, and fillers that teach nothing.

accelerate deals a sampler's batches to the processes in turn, and where they do not come out even it repeats rows, which would then be
learned twice. So every step is filled up to what all processes take of it.

Imports torch, so only the worker and the processes that it starts import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import datasets
from accelerate.data_loader import SeedableRandomSampler
from torch.utils.data import Sampler

from tuneproof.engine.training.encode import IGNORED


def with_filler(dataset: datasets.Dataset, pad: int) -> datasets.Dataset:
    """The sequences, and after them one of which nothing is learned.

    It has two tokens, because what is learned stands after the first.
    """
    filler = {"input_ids": [pad] * 2, "labels": [IGNORED] * 2} | ({"seq_lengths": [2]} if "seq_lengths" in dataset.column_names else {})
    return datasets.concatenate_datasets([dataset, datasets.Dataset.from_list([filler], features=dataset.features)])


@dataclass(frozen=True)
class EvenSteps(Sampler[int]):
    """The order in which one process would read so many rows, each step of it filled up with the filler after the last row."""

    rows: int
    rows_a_step: int
    filled_to: int
    seed: int
    steps_done: Callable[[], int]

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.rows_a_step)

    def __len__(self) -> int:
        return self.steps * self.filled_to

    def __iter__(self) -> Iterator[int]:
        order = SeedableRandomSampler(range(self.rows), data_seed=self.seed)
        # Counted from the steps: accelerate does not tell the epoch to a sampler whose batches are dealt and the first of them skipped.
        order.set_epoch(self.steps_done() // self.steps)
        shuffled = list(order)
        for start in range(0, self.rows, self.rows_a_step):
            step = shuffled[start : start + self.rows_a_step]
            yield from step + [self.rows] * (self.filled_to - len(step))
