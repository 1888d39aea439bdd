"""The audit's counts on real data sets, held to the exact ones that were found by brute force."""

from __future__ import annotations

import pytest

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.report import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.read import read_examples

EXACT = {
    # train file, eval files: rows; repeats norm, loose; conflicts norm, loose; leaked norm, loose for each eval file
    "clinc150": ("train.jsonl", 15_100, (0, 28), (0, 0), {"validation.jsonl": (3, 16), "test.jsonl": (2, 19)}),
    "snips": ("train.jsonl", 13_784, (207, 251), (0, 2), {"test.jsonl": (11, 18)}),
    "gsm8k": ("train.jsonl", 7_473, (0, 0), (0, 0), {"test.jsonl": (0, 0)}),
    "goemotions": ("train.jsonl.gz", 43_410, (221, 554), (175, 406), {"validation.jsonl": (49, 113), "test.jsonl": (42, 109)}),
    "wikisql": ("train.jsonl.gz", 56_355, (245, 250), (50, 58), {"validation.jsonl": (27, 27), "test.jsonl": (42, 46)}),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_counts_are_the_exact_ones(name: str) -> None:
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    train, rows, repeats, conflicts, leaked = EXACT[name]
    learned = read_examples(str(folder / train))
    scored = read_examples([str(folder / file) for file in leaked])
    counts = audit(Table(learned.examples, scored.examples, learned.problems + scored.problems), (), {}).counts
    assert counts.rows == rows
    assert (counts.duplicate_rows.norm, counts.duplicate_rows.loose) == repeats
    assert (counts.conflict_rows.norm, counts.conflict_rows.loose) == conflicts
    assert {file: (c.norm, c.loose) for file, c in counts.leaked_rows.items()} == leaked
