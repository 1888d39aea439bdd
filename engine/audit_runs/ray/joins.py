"""Which rows of all shards are equal to others, and which are near others: two joins by Ray Data over keys and runs of the rows.

A row goes by a number: that of its shard, and its place there. What is found are the rows that may stand in a finding together; the audit
holds them against each other once more, exactly and with their texts, so a row too many does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuneproof.engine.audit.near.boilerplate import Pieces, take_out
from tuneproof.engine.audit.near.digests import digest
from tuneproof.engine.audit.near.join import join, lower_bound
from tuneproof.engine.audit.near.settings import LEAST_JACCARD
from tuneproof.engine.audit.near.shingles import TokenSets, run_digests, spans
from tuneproof.engine.audit.table import Table

if TYPE_CHECKING:
    from ray.data import Dataset

PLACES = 40
"""Bits of a row's number that say where in its shard it stands."""

ROWS_A_PARTITION = 60_000
"""Rows whose prefixes one worker joins at once; each comes to about three partitions, so they take some hundred MiB."""

FEWEST_PARTITIONS = 4
_BUCKETS = 22
"""Bits of the buckets in which runs are counted: 4 million, since nothing but the order of the runs hangs on it."""
_LEVEL = 56
"""The bits of a run that tell runs of the same frequency apart; those above say how frequent it is."""

INCOMPLETE = -1
"""In place of a row: there were more near pairs than are looked at."""


def sketch(table: Table, number: int, pieces: Pieces) -> pa.Table:
    """The rows of a shard as joins need them: their numbers, the digests of their loosest keys, and those of their runs."""
    raw, normalised = table.compared_texts()
    sizes, runs = run_digests(take_out(pieces, raw, normalised).texts, table.shingle)
    loose = [key for part in table.parts for key in part.loose]
    return pa.table(
        {
            "row": (number << PLACES) + np.arange(len(loose)),
            "key": np.fromiter(map(digest, loose), np.uint64, len(loose)),
            "runs": _lists(sizes, runs),
        }
    )


def rows_together(sketches: Dataset, rows: int) -> tuple[NDArray[np.int64], bool]:
    """The rows whose prompts are equal to others under `loose`, and so under every key, or near others; and whether these are all.

    Each row goes to a partition by its key, and to those of its rarest runs: two near rows share one of these (the prefix filter of
    near_join), and so they meet.
    """
    import ray

    parts = max(FEWEST_PARTITIONS, rows // ROWS_A_PARTITION)
    often = np.zeros(1 << _BUCKETS, np.uint32)
    for each in sketches.map_batches(_counted, batch_size=None, batch_format="pyarrow").iter_rows():
        often += np.frombuffer(each["often"], np.uint32)
    levels = ray.put(np.minimum(255, 8 * np.log2(np.maximum(often, 1))).astype(np.uint8))
    sent = sketches.map_batches(_sent, batch_size=None, batch_format="pyarrow", fn_kwargs={"parts": parts, "levels": levels})
    met = sent.groupby("part", num_partitions=parts).map_groups(_together, batch_format="pyarrow")
    blocks = [block.column("row").to_numpy() for block in met.iter_batches(batch_size=None, batch_format="pyarrow") if block.num_rows]
    found = np.unique(np.concatenate([np.zeros(0, np.int64), *blocks]))
    return found[found != INCOMPLETE], not (found == INCOMPLETE).any()


def _counted(batch: pa.Table) -> dict[str, Any]:
    _, runs = _flat(batch)
    often = np.bincount((runs >> np.uint64(64 - _BUCKETS)).astype(np.int64), minlength=1 << _BUCKETS)
    return {"often": [often.astype(np.uint32).tobytes()]}


def _sent(batch: pa.Table, parts: int, levels: Any) -> pa.Table:
    """Each row for the partition of its key, which have negative numbers, and with its runs for each that one of its rarest falls to."""
    import ray

    numbers, keys = batch.column("row").to_numpy(), batch.column("key").to_numpy()
    sizes, runs = _by_rarity(batch, ray.get(levels))
    row, part = _of_rare_runs(sizes, runs, parts)
    starts = np.cumsum(sizes) - sizes
    return pa.table(
        {
            "part": np.concatenate([part, -1 - (keys % np.uint64(parts)).astype(np.int64)]),
            "row": np.concatenate([numbers[row], numbers]),
            "key": np.concatenate([keys[row], keys]),
            "runs": _lists(np.concatenate([sizes[row], np.zeros(len(numbers), np.int64)]), runs[spans(starts[row], sizes[row])]),
        }
    )


def _by_rarity(batch: pa.Table, levels: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """How many runs each row has, and the runs with how often they stand there in their upper bits, the rarest of each row first."""
    sizes, runs = _flat(batch)
    level = levels[(runs >> np.uint64(64 - _BUCKETS)).astype(np.int64)]
    keys = level.astype(np.uint64) << np.uint64(_LEVEL) | runs & np.uint64((1 << _LEVEL) - 1)
    return sizes, keys[np.lexsort((keys, np.repeat(np.arange(len(sizes)), sizes)))]


def _of_rare_runs(sizes: NDArray[np.int64], runs: NDArray[np.uint64], parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and the partitions that their rarest runs fall to, once each."""
    prefix = sizes - lower_bound(sizes, LEAST_JACCARD) + 1
    rare = runs[spans(np.cumsum(sizes) - sizes, prefix)]
    rows = np.repeat(np.arange(len(sizes)), prefix)
    # A run that is alone in its bucket is in no other row.
    shared = rare >> np.uint64(_LEVEL) > 0
    both = np.unique(rows[shared] * parts + (rare[shared] % np.uint64(parts)).astype(np.int64))
    return both // parts, both % parts


def _together(group: pa.Table) -> pa.Table:
    return _equal(group) if group.column("part")[0].as_py() < 0 else _near(group)


def _equal(group: pa.Table) -> pa.Table:
    """The rows of a partition whose key others have."""
    _, own, counts = np.unique(group.column("key").to_numpy(), return_inverse=True, return_counts=True)
    return pa.table({"row": group.column("row").to_numpy()[counts[own] > 1]})


def _near(group: pa.Table) -> pa.Table:
    """The rows of a partition that are near others of it."""
    sizes, keys = _flat(group)
    tokens = np.unique(keys, return_inverse=True)[1].astype(np.int32)
    sets = TokenSets(np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), tokens)
    first = sets.first_equal()
    distinct = np.unique(first)
    pairs = join(sets.take(distinct))
    near = np.bincount(first, minlength=len(first)) > 1
    near[distinct[np.concatenate([pairs.left, pairs.right])]] = True
    rows = group.column("row").to_numpy()[near[first]]
    return pa.table({"row": rows if pairs.complete else np.append(rows, INCOMPLETE)})


def _lists(sizes: NDArray[np.int64], values: NDArray[np.uint64]) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(pa.array(np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])), pa.array(values))


def _flat(batch: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """How many runs each row has, and the runs of all rows one after the other."""
    lists = batch.column("runs").combine_chunks()
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    return lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64), lists.flatten().to_numpy(zero_copy_only=False)
