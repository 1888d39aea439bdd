"""Which rows of all shards are equal or near to others: two joins by Ray Data, over keys and over shingles.

A row has a number: the number of its shard, and its position there. The joins find the rows that may be in a finding together. The audit
compares them once more, exactly and by their texts, so a row too many does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuneproof.engine.audit.courtesy import ShortInputs, WithoutCourtesy
from tuneproof.engine.audit.near.boilerplate import BoilerplateRules, WithoutRules
from tuneproof.engine.audit.near.digests import text_digest
from tuneproof.engine.audit.near.exact_sets import similarity
from tuneproof.engine.audit.near.hashes import shingle_hashes, sorted_sets
from tuneproof.engine.audit.near.join import join
from tuneproof.engine.audit.near.settings import LEAST_JACCARD
from tuneproof.engine.audit.near.shingles import ShingleSets
from tuneproof.engine.audit.near.sketches import FREQUENCY_SHIFT, Sketches, by_rarity, levels_of, lower_bound, signature_words
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.words import spans, text_blocks

if TYPE_CHECKING:
    from ray.data import Dataset

POSITION_BITS = 40
"""Bits of the number of a row that are its position in its shard."""

ROWS_A_PARTITION = 60_000
"""Rows whose prefixes one worker joins at once. Each row goes to about three partitions, so a worker needs some hundred MiB."""

FEWEST_PARTITIONS = 4
_BUCKET_BITS = 22
"""Bits of the buckets in which shingles are counted: 4 million are enough, because only the order of shingles depends on the counts."""

INCOMPLETE = -1
"""In place of a row number: a join stopped at its limit of near pairs."""


def sketch_rows(table: Table, number: int, rules: BoilerplateRules) -> pa.Table:
    """The rows of a shard as the joins need them: their numbers, the digests of their loosest keys, and the hashes of their shingles."""
    sets = [sorted_sets(*shingle_hashes(block, table.shingle)) for block in text_blocks(WithoutRules(rules, table.compared_texts()))]
    shingles = np.concatenate([np.zeros(0, np.uint64), *(found for found, _ in sets)])
    sizes = np.concatenate([np.zeros(0, np.int64), *(size for _, size in sets)])
    return pa.table(
        {
            "row": (number << POSITION_BITS) + np.arange(len(sizes)),
            "key": np.fromiter(map(text_digest, _keys(table)), np.uint64, len(sizes)),
            "shingles": _lists(sizes, shingles),
        }
    )


def _keys(table: Table) -> Iterator[str]:
    """What rows have in common that are equal in any way: their text without words of courtesy if they are short, else under `loose`."""
    without = WithoutCourtesy(table.count(ShortInputs).language)
    loose = (key for part in table.parts for key in part.loose)
    return (without.text(text) or key for text, key in zip(table.compared_texts(), loose, strict=True))


def related_rows(sketches: Dataset, rows: int) -> tuple[NDArray[np.int64], bool]:
    """The numbers of the rows whose prompts equal others under `loose`, or are near to others, and whether these are all.

    Each row goes to the partition of its key, and to those of its rarest shingles: two near rows share one of these (the prefix filter of
    `near.join`), so that they meet.
    """
    import ray

    parts = max(FEWEST_PARTITIONS, rows // ROWS_A_PARTITION)
    often = np.zeros(1 << _BUCKET_BITS, np.uint32)
    for each in sketches.map_batches(_frequencies, batch_size=None, batch_format="pyarrow").iter_rows():
        often += np.frombuffer(each["often"], np.uint32)
    levels = ray.put(levels_of(often))
    partitioned = sketches.map_batches(_partitioned, batch_size=None, batch_format="pyarrow", fn_kwargs={"parts": parts, "levels": levels})
    joined = partitioned.groupby("part", num_partitions=parts).map_groups(_related_in_partition, batch_format="pyarrow")
    blocks = [block.column("row").to_numpy() for block in joined.iter_batches(batch_size=None, batch_format="pyarrow") if block.num_rows]
    found = np.unique(np.concatenate([np.zeros(0, np.int64), *blocks]))
    return found[found != INCOMPLETE], not (found == INCOMPLETE).any()


def _frequencies(batch: pa.Table) -> dict[str, Any]:
    _, shingles = _flat(batch)
    often = np.bincount((shingles >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64), minlength=1 << _BUCKET_BITS)
    return {"often": [often.astype(np.uint32).tobytes()]}


def _partitioned(batch: pa.Table, parts: int, levels: Any) -> pa.Table:
    """Each row for the partition of its key, which has a negative number, and with its shingles for each partition of its rarest ones."""
    import ray

    numbers, keys = batch.column("row").to_numpy(), batch.column("key").to_numpy()
    sizes, shingles = _flat(batch)
    shingles, sizes = by_rarity(shingles, sizes, ray.get(levels))
    row, part = _partitions_of_rare_shingles(sizes, shingles, parts)
    starts = np.cumsum(sizes) - sizes
    return pa.table(
        {
            "part": np.concatenate([part, -1 - (keys % np.uint64(parts)).astype(np.int64)]),
            "row": np.concatenate([numbers[row], numbers]),
            "key": np.concatenate([keys[row], keys]),
            "shingles": _lists(np.concatenate([sizes[row], np.zeros(len(numbers), np.int64)]), shingles[spans(starts[row], sizes[row])]),
        }
    )


def _partitions_of_rare_shingles(
    sizes: NDArray[np.int64], shingles: NDArray[np.uint64], parts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and the partitions of their rarest shingles, each pair once."""
    prefix = sizes - lower_bound(sizes, LEAST_JACCARD) + 1
    rare = shingles[spans(np.cumsum(sizes) - sizes, prefix)]
    rows = np.repeat(np.arange(len(sizes)), prefix)
    # A shingle that is alone in its bucket is in no other row.
    shared = rare >> np.uint64(FREQUENCY_SHIFT) > 0
    both = np.unique(rows[shared] * parts + (rare[shared] % np.uint64(parts)).astype(np.int64))
    return both // parts, both % parts


def _related_in_partition(group: pa.Table) -> pa.Table:
    return _equal(group) if group.column("part")[0].as_py() < 0 else _near(group)


def _equal(group: pa.Table) -> pa.Table:
    """The rows of a partition whose key other rows have."""
    _, own, counts = np.unique(group.column("key").to_numpy(), return_inverse=True, return_counts=True)
    return pa.table({"row": group.column("row").to_numpy()[counts[own] > 1]})


def _near(group: pa.Table) -> pa.Table:
    """The rows of a partition that are near to others in it."""
    sizes, keys = _flat(group)
    sketches = Sketches.of_keys(keys, sizes, LEAST_JACCARD, signature_words(len(keys), len(sizes)))
    sets = ShingleSets(np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), np.unique(keys, return_inverse=True)[1].astype(np.int32))
    _, distinct, first = np.unique(sketches.fingerprints, return_index=True, return_inverse=True)
    first = distinct[first]
    pairs = join(sketches, np.sort(distinct), partial(similarity, sets), LEAST_JACCARD)
    near = np.bincount(first, minlength=len(first)) > 1
    near[np.concatenate([pairs.left, pairs.right])] = True
    rows = group.column("row").to_numpy()[near[first]]
    return pa.table({"row": rows if pairs.complete else np.append(rows, INCOMPLETE)})


def _lists(sizes: NDArray[np.int64], values: NDArray[np.uint64]) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(pa.array(np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])), pa.array(values))


def _flat(batch: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The number of shingles of each row, and the shingles of all rows one after the other."""
    lists = batch.column("shingles").combine_chunks()
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    return lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64), lists.flatten().to_numpy(zero_copy_only=False)
