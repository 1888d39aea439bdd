"""How rows come to a training: padded to the longest of those that are read at once, or packed, as far as their lengths tell.

The rows of a step are sorted by length, and a step that runs in parts so has less padding than one that runs at once, with the same rows
and therefore the same gradient.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuneproof.engine.methods.plan import Plan

PACKED_ROWS = 4
"""A packed sequence is as long as so many of the longest row; wider ones have little less padding, and more attention that is masked."""

MICRO_BATCH_COST_TOKENS = 64
"""What a part of a batch costs on a CPU beside its tokens, counted in tokens (`python -m tests.bench.micro_batches`, the sample model)."""

MAX_SAMPLED_ROWS = 2000
"""Rows by which it is judged in how many parts a step is quickest; of more, as many that stand for all."""


@dataclass(frozen=True)
class SequenceLengths:
    """The lengths of the rows, in tokens, and the model's context, which no packed sequence exceeds."""

    row_tokens: Sequence[int]
    context: int

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.row_tokens)

    @property
    def mean(self) -> float:
        """Tokens of a row in the mean."""
        return sum(self.row_tokens) / len(self.row_tokens)


def max_packed_length(longest: int, context: int) -> int:
    """How long packed sequences are at most."""
    return max(longest, min(context, PACKED_ROWS * longest))


def as_sequences(plan: Plan, lengths: SequenceLengths) -> tuple[Plan, int]:
    """The plan by the sequences that make a step, and how long they are: those of packed rows are taken to be full."""
    if not plan.packing:
        return plan, lengths.longest
    length = max_packed_length(lengths.longest, lengths.context)
    return replace(plan, batch_size=max(1, round(plan.batch_size * lengths.mean / length))), length


def mean_padded_length(whole: Sequence[int], rows_a_step: int, rows_a_part: int, seed: int, *, grouped: bool = False) -> float:
    """Tokens that a row takes in the mean, its padding with it, in one shuffled epoch; or in one whose rows are grouped by length."""
    order = sorted(whole, reverse=True)
    if not grouped:
        random.Random(seed).shuffle(order)
    read = 0
    for start in range(0, len(order), rows_a_step):
        step = sorted(order[start : start + rows_a_step], reverse=True)
        read += sum(step[at] * len(step[at : at + rows_a_part]) for at in range(0, len(step), rows_a_part))
    return read / len(order)


def fastest_accumulation(plan: Plan, whole: Sequence[int]) -> int:
    """In how many parts a CPU is done soonest with a process's rows of a step: more have less padding, and each costs something."""
    if plan.packing:
        return 1
    share = plan.rows_per_process
    some = sorted(whole)[:: math.ceil(len(whole) / MAX_SAMPLED_ROWS)]

    def cost(parts: int) -> float:
        return (
            share * mean_padded_length(some, plan.batch_size, share // parts, plan.seed, grouped=plan.group_by_length)
            + MICRO_BATCH_COST_TOKENS * parts
        )

    return min((parts for parts in range(1, share + 1) if share % parts == 0), key=cost)
