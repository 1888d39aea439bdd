"""How rows come to a training: one by one, or packed, as far as their lengths tell without packing them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuneproof.engine.methods.catalogue import Plan

ROWS_WIDE = 4
"""A packed sequence is as long as so many of the longest row; wider ones have little less padding, and more attention that is masked."""


@dataclass(frozen=True)
class Lengths:
    """The longest row and the mean of all, in tokens, and the model's context, which no packed sequence exceeds."""

    longest: int
    mean: float
    context: int


def packed_length(longest: int, context: int) -> int:
    """How long packed sequences are at most."""
    return max(longest, min(context, ROWS_WIDE * longest))


def as_fed(plan: Plan, lengths: Lengths) -> tuple[Plan, int]:
    """The plan by the sequences that make a step, and how long they are: those of packed rows are taken to be full."""
    if not plan.packing:
        return plan, lengths.longest
    length = packed_length(lengths.longest, lengths.context)
    return replace(plan, batch_size=max(1, round(plan.batch_size * lengths.mean / length))), length
