"""What prompts begin with in common, so that it is read once: few-shot prompts differ in little but their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WORTH_READING_ONCE = 64
"""Shortest common beginning, in tokens, that is worth a cache of its own."""

WORTH_A_SET = 2_048
"""Tokens that a set of prompts has to save, to be given a beginning of its own: each set is read in passes of its own."""


MOST_SETS = 8
"""Sets at most, because what each begins with is held in memory."""


@dataclass(frozen=True)
class PrefixGroup:
    """Prompts by their numbers, and how many leading tokens of theirs are to be read once."""

    prompts: list[int]
    length: int

    @property
    def saved(self) -> int:
        """Tokens that need not be read again."""
        return (len(self.prompts) - 1) * self.length


def group_by_prefix(prompts: Sequence[list[int]]) -> list[PrefixGroup]:
    """The prompts in sets that begin with the same, so that the tokens to be read are few; every prompt keeps a token of its own.

    A few prompts that show other examples than the rest do not keep the rest from sharing theirs: they make up a last set.
    """
    if not prompts:
        return []
    order = sorted(range(len(prompts)), key=lambda at: prompts[at])
    same = [_same(prompts[a], prompts[b]) for a, b in pairwise(order)]
    ways = [_sets(prompts, order, same, least) for least in sorted({0, *(n for n in same if n >= WORTH_READING_ONCE)})]
    return max(ways, key=lambda sets: sum(s.saved for s in sets) - WORTH_A_SET * len(sets))


def _sets(prompts: Sequence[list[int]], order: list[int], same: list[int], least: int) -> list[PrefixGroup]:
    """A set for every run of prompts in order that share so many tokens, where that is worth it; the other prompts are the last set."""
    found, run = [], order[:1]
    for at, shared in zip([*order[1:], None], [*same, -1], strict=True):
        if shared < least or at is None:
            found.append(_sharing(prompts, run))
            run = []
        if at is not None:
            run.append(at)
    sets = sorted((sharing for sharing in found if sharing.saved >= WORTH_A_SET), key=lambda sharing: -sharing.saved)[:MOST_SETS]
    rest = [at for sharing in found if sharing not in sets for at in sharing.prompts]
    return [*sets, _sharing(prompts, rest)] if rest else sets


def _sharing(prompts: Sequence[list[int]], ordered: list[int]) -> PrefixGroup:
    """What prompts in order share is what the first and the last do."""
    shared = min(_same(prompts[ordered[0]], prompts[ordered[-1]]), min(len(prompts[at]) for at in ordered) - 1)
    return PrefixGroup(ordered, shared if len(ordered) > 1 and shared >= WORTH_READING_ONCE else 0)


def _same(a: list[int], b: list[int]) -> int:
    """How many leading tokens are the same; by halves, because comparing slices is fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[low:middle] == b[low:middle] else (low, middle - 1)
    return low
