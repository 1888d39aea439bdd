"""Groups prompts by the prefix they share, so that the prefix is prefilled once. Few-shot prompts differ mostly at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MIN_PREFIX_TOKENS = 64
"""Shortest prefix, in tokens, that is worth a cache of its own."""

MIN_TOKENS_SAVED = 2_048
"""Prefill tokens that a group has to save to be a group of its own: each group needs prefill passes of its own."""

MAX_GROUPS = 8
"""Most groups with a prefix of their own, because all prefixes are in memory at once."""


@dataclass(frozen=True)
class PrefixGroup:
    """Prompts that share a prefix."""

    indices: list[int]
    """Positions of the prompts in the list that was grouped."""
    prefix_length: int
    """Leading tokens that all of them share; 0 if they are too few to be worth a cache."""

    @property
    def tokens_saved(self) -> int:
        """Prefill tokens saved, compared with no sharing."""
        return (len(self.indices) - 1) * self.prefix_length


def group_by_prefix(prompts: Sequence[list[int]]) -> list[PrefixGroup]:
    """Splits prompts, given as token ids, into groups that save the most prefill tokens. Every prompt keeps a token of its own.

    Prompts that fit no group form a last one, so that a few different prompts do not stop the others from sharing.
    """
    if not prompts:
        return []
    order = sorted(range(len(prompts)), key=lambda at: prompts[at])
    shared = [_shared_length(prompts[a], prompts[b]) for a, b in pairwise(order)]
    candidates = [_groups(prompts, order, shared, least) for least in sorted({0, *(n for n in shared if n >= MIN_PREFIX_TOKENS)})]
    return max(candidates, key=lambda groups: sum(group.tokens_saved for group in groups) - MIN_TOKENS_SAVED * len(groups))


def _groups(prompts: Sequence[list[int]], order: list[int], shared: list[int], least: int) -> list[PrefixGroup]:
    """One group for each run of sorted prompts whose neighbours share at least `least` tokens, if it saves enough; the rest is the last."""
    found, run = [], order[:1]
    for at, length in zip([*order[1:], None], [*shared, -1], strict=True):
        if length < least or at is None:
            found.append(_group(prompts, run))
            run = []
        if at is not None:
            run.append(at)
    worthwhile = [group for group in found if group.tokens_saved >= MIN_TOKENS_SAVED]
    kept = sorted(worthwhile, key=lambda group: -group.tokens_saved)[:MAX_GROUPS]
    rest = [at for group in found if group not in kept for at in group.indices]
    return [*kept, _group(prompts, rest)] if rest else kept


def _group(prompts: Sequence[list[int]], ordered: list[int]) -> PrefixGroup:
    # Sorted prompts share what the first and the last of them share.
    shared = min(_shared_length(prompts[ordered[0]], prompts[ordered[-1]]), min(len(prompts[at]) for at in ordered) - 1)
    return PrefixGroup(ordered, shared if len(ordered) > 1 and shared >= MIN_PREFIX_TOKENS else 0)


def _shared_length(a: list[int], b: list[int]) -> int:
    """How many leading tokens are equal. Binary search, because comparing slices is fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[low:middle] == b[low:middle] else (low, middle - 1)
    return low
