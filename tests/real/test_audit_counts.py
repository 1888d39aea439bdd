"""The audit's counts on real data sets equal those found by brute force."""

from __future__ import annotations

import pytest

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.readers import read_examples

EXACT = {
    # train file, rows; repeats norm, loose; conflicts norm, loose; near pairs and rows to drop; by eval file: leaked norm, loose, near
    "clinc150": ("train.jsonl", 15_100, (0, 28), (0, 0), (330, 270), {"validation.jsonl": (3, 16, 50), "test.jsonl": (2, 19, 62)}),
    "snips": ("train.jsonl", 13_784, (207, 251), (0, 2), (564, 284), {"test.jsonl": (11, 18, 23)}),
    "gsm8k": ("train.jsonl", 7_473, (0, 0), (0, 0), (1, 1), {"test.jsonl": (0, 0, 0)}),
    "goemotions": (
        "train.jsonl.gz",
        43_410,
        (221, 554),
        (175, 406),
        (2_477, 563),
        {"validation.jsonl": (49, 113, 114), "test.jsonl": (42, 109, 111)},
    ),
    "wikisql": ("train.jsonl.gz", 56_355, (245, 250), (50, 58), (356, 328), {"validation.jsonl": (27, 27, 33), "test.jsonl": (42, 46, 73)}),
}

CLEAN = "gsm8k"
"""Whatever the audit blocks there is a false alarm."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.long) if name == "wikisql" else name for name in EXACT])
def test_the_counts_are_the_exact_ones(name: str) -> None:
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    train, rows, repeats, conflicts, near, leaked = EXACT[name]
    train_rows = read_examples(str(folder / train))
    eval_rows = read_examples([str(folder / file) for file in leaked])
    report = audit(Table(Rows(train_rows.examples), Rows(eval_rows.examples), train_rows.problems + eval_rows.problems), (), {})
    counts = report.counts
    assert counts.rows == rows
    assert (counts.duplicate_rows.norm, counts.duplicate_rows.loose) == repeats
    assert (counts.conflict_rows.norm, counts.conflict_rows.loose) == conflicts
    assert (counts.near_pairs, counts.near_rows_to_drop, counts.near_complete) == (*near, True)
    assert {file: (c.norm, c.loose, c.near) for file, c in counts.leaked_rows.items()} == leaked
    assert name != CLEAN or not report.blocking()
