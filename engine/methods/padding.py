"""How many tokens a training reads: rows padded to the longest of their micro-batch, or packed into sequences.

The rows of a step are sorted by length, so a step of several micro-batches has less padding than one that runs at once. Its rows, and so
its gradient, are the same.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuneproof.engine.methods.plan import Plan

PACKED_ROWS = 4
"""Length of a packed sequence in units of the longest row. Longer sequences save little padding and mask more of the attention."""

MICRO_BATCH_COST_TOKENS = 64
"""Fixed cost of a micro-batch on a CPU, in tokens (`python -m tests.bench.micro_batches`, the sample model)."""

MAX_SAMPLED_ROWS = 2000
"""How many rows the fastest accumulation is computed from; of more rows an evenly spaced sample is taken."""


@dataclass(frozen=True)
class SequenceLengths:
    """The lengths of the train rows, prompt and answer together, in tokens."""

    row_tokens: Sequence[int]
    context: int
    """The context length of the model, which no packed sequence exceeds."""

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.row_tokens)

    @property
    def mean(self) -> float:
        """Mean number of tokens per row."""
        return sum(self.row_tokens) / len(self.row_tokens)


def max_packed_length(longest: int, context: int) -> int:
    """The maximum length of a packed sequence, in tokens, for rows of at most `longest` tokens."""
    return max(longest, min(context, PACKED_ROWS * longest))


def as_sequences(plan: Plan, lengths: SequenceLengths) -> tuple[Plan, int]:
    """The plan with its batch size in sequences, and the length of a sequence in tokens; packed sequences are taken to be full."""
    if not plan.packing:
        return plan, lengths.longest
    length = max_packed_length(lengths.longest, lengths.context)
    return replace(plan, batch_size=max(1, round(plan.batch_size * lengths.mean / length))), length


def mean_padded_length(
    row_tokens: Sequence[int], rows_per_step: int, rows_per_micro_batch: int, seed: int, *, grouped: bool = False
) -> float:
    """Mean tokens per row, padding included, over one epoch that is shuffled, or grouped by length."""
    order = sorted(row_tokens, reverse=True)
    if not grouped:
        random.Random(seed).shuffle(order)
    read = 0
    for start in range(0, len(order), rows_per_step):
        step = sorted(order[start : start + rows_per_step], reverse=True)
        read += sum(step[at] * len(step[at : at + rows_per_micro_batch]) for at in range(0, len(step), rows_per_micro_batch))
    return read / len(order)


def fastest_accumulation(plan: Plan, row_tokens: Sequence[int]) -> int:
    """The number of micro-batches per step that is fastest on a CPU: more of them have less padding, and each has a fixed cost."""
    if plan.packing:
        return 1
    rows = plan.rows_per_process
    sample = sorted(row_tokens)[:: math.ceil(len(row_tokens) / MAX_SAMPLED_ROWS)]

    def cost(accumulation: int) -> float:
        padded = mean_padded_length(sample, plan.batch_size, rows // accumulation, plan.seed, grouped=plan.group_by_length)
        return rows * padded + MICRO_BATCH_COST_TOKENS * accumulation

    return min((accumulation for accumulation in range(1, rows + 1) if rows % accumulation == 0), key=cost)
