"""The near-duplicate join on real data sets finds as many pairs as comparing every pair."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.near.boilerplate import without_boilerplate
from tuneproof.engine.audit.near.clusters import near_rows
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.data.example import norm
from tuneproof.engine.data.readers import read_examples

EXACT: dict[str, tuple[str, tuple[str, ...], dict[Shingle, tuple[int, int, tuple[int, ...]]]]] = {
    # train file, eval files; at each shingle: train near pairs, train rows to drop, eval rows with a near train row for each eval file
    "clinc150": (
        "train.jsonl",
        ("validation.jsonl", "test.jsonl"),
        {Shingle.W3: (330, 270, (50, 62)), Shingle.C5: (425, 375, (48, 79))},
    ),
    "snips": ("train.jsonl", ("test.jsonl",), {Shingle.W3: (564, 284, (23,)), Shingle.C5: (756, 374, (28,))}),
    "gsm8k": ("train.jsonl", ("test.jsonl",), {Shingle.W3: (1, 1, (0,)), Shingle.C5: (3, 3, (0,))}),
    "goemotions": (
        "train.jsonl.gz",
        ("validation.jsonl", "test.jsonl"),
        {Shingle.W3: (2477, 563, (114, 111)), Shingle.C5: (915, 385, (87, 77))},
    ),
    "wikisql": (
        "train.jsonl.gz",
        ("validation.jsonl", "test.jsonl"),
        {Shingle.W3: (356, 328, (33, 73)), Shingle.C5: (1103, 849, (121, 199))},
    ),
}


@pytest.mark.parametrize("shingle", Shingle)
@pytest.mark.parametrize("name", EXACT)
def test_the_counts_are_the_exact_ones(name: str, shingle: Shingle) -> None:
    train, evals, exact = EXACT[name]
    parts = [_inputs(name, file) for file in (train, *evals)]
    texts = without_boilerplate([text for part in parts for text in part]).texts
    near = near_rows(texts, shingle)
    train_rows = range(len(parts[0]))
    ends = [sum(map(len, parts[: count + 1])) for count in range(len(parts))]
    leaked = tuple(len(near.nearest(range(start, end), train_rows)) for start, end in pairwise(ends))
    assert (near.pair_count(len(train_rows)), len(near.dropped(len(train_rows))), leaked) == exact[shingle]


def _inputs(name: str, file: str) -> list[str]:
    path = REAL_DATA / name / file
    if not path.is_file():
        pytest.skip(f"REAL DATA MISSING: {path}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    return [norm(example.input) for example in read_examples(str(path)).examples]
