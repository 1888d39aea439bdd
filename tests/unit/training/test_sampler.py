"""Every step has the rows that a single process would have in it, however it is divided, and each row comes once an epoch."""

from __future__ import annotations

from itertools import chain, islice, pairwise

from accelerate.data_loader import BatchSamplerShard, SeedableRandomSampler
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler

from tuneproof.engine.training.sampler import PaddedBatchSampler


def grouped(lengths: list[int], batch_size: int, steps_done: int) -> list[int]:
    return list(PaddedBatchSampler(lengths, batch_size, batch_size, 0, lambda: steps_done, grouped=True))


@given(st.lists(st.integers(2, 200), min_size=1, max_size=50), st.integers(1, 9), st.integers(0, 3))
def test_rows_of_similar_length_share_a_step_and_each_row_comes_once_an_epoch(lengths: list[int], batch_size: int, epoch: int) -> None:
    steps_done = epoch * -(-len(lengths) // batch_size)
    order = grouped(lengths, batch_size, steps_done)
    assert sorted(row for row in order if row < len(lengths)) == list(range(len(lengths)))
    steps = [[row for row in order[at : at + batch_size] if row < len(lengths)] for at in range(0, len(order), batch_size)]
    assert all(len(step) == batch_size for step in steps[:-1])
    spans = sorted((min(lengths[row] for row in step), max(lengths[row] for row in step)) for step in steps)
    assert all(shorter[1] <= longer[0] or shorter[0] == longer[0] for shorter, longer in pairwise(spans))


@given(st.lists(st.integers(2, 200), min_size=1, max_size=50), st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_has_the_same_order_each_time_and_the_length_that_it_says(lengths: list[int], batch_size: int, epoch: int) -> None:
    steps_done = epoch * -(-len(lengths) // batch_size)
    sampler = PaddedBatchSampler(lengths, batch_size, batch_size, 0, lambda: steps_done, grouped=True)
    assert list(sampler) == list(sampler) and len(list(sampler)) == len(sampler)


def test_grouped_steps_come_in_another_order_in_every_epoch() -> None:
    lengths = [length for length in range(2, 66) for _ in range(4)]
    first, second = grouped(lengths, 4, steps_done=0), grouped(lengths, 4, steps_done=64)
    assert first != second and sorted(first) == sorted(second)


@given(st.lists(st.integers(2, 200), min_size=1, max_size=40), st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))
def test_a_step_that_is_divided_has_the_rows_of_a_single_process_longest_first(
    lengths: list[int], batch_size: int, processes: int, accumulation: int, epoch: int
) -> None:
    rows = len(lengths)
    order = SeedableRandomSampler(range(rows), data_seed=7)
    order.set_epoch(epoch)
    alone = list(BatchSampler(order, batch_size, drop_last=False))
    micro_batch = -(-batch_size // (processes * accumulation))
    steps_done = epoch * len(alone) + len(alone) - 1
    sampler = PaddedBatchSampler(lengths, batch_size, processes * micro_batch * accumulation, 7, lambda: steps_done)
    shards = [iter(BatchSamplerShard(BatchSampler(sampler, micro_batch, drop_last=False), processes, rank)) for rank in range(processes)]
    for step in alone:
        in_turn = chain.from_iterable(zip(*(islice(shard, accumulation) for shard in shards), strict=True))
        micro_batches = [[row for row in rows_of_shard if row != rows] for rows_of_shard in in_turn]
        assert sorted(chain.from_iterable(micro_batches)) == sorted(step)
        spans = [[lengths[row] for row in each] for each in micro_batches if each]
        assert all(min(longer) >= max(shorter) for longer, shorter in pairwise(spans))
    assert [list(shard) for shard in shards] == [[]] * processes
