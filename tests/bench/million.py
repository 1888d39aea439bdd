"""Time and memory of the audit of a million rows of 60 words: `python -m tests.bench.million`, or with another number of rows.

Words are made up and as unevenly frequent as those of a language; 3 % of the rows are earlier rows with one word changed. The time is that
of the command, with reading and report.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from tests.bench.audit import run

ROWS, WORDS, NEAR, VOCABULARY = 1_000_000, 60, 0.03, 30_000
LABELS = ("Billing", "Cancel", "Delivery", "Login", "Other", "Praise", "Refund")


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        train_file, eval_file = Path(folder) / "rows.jsonl", Path(folder) / "eval.jsonl"
        with train_file.open("w") as train, eval_file.open("w") as held_out:
            for at, row in enumerate(made_rows(rows)):
                (held_out if at % 50 == 0 else train).write(json.dumps(row) + "\n")
        size = train_file.stat().st_size + eval_file.stat().st_size
        seconds, peak, code = run(train_file, eval_file)
    print(f"{rows:>9,} rows, {size >> 20:,} MiB: {seconds:6.1f} s, peak {peak:5,} MiB, {(peak << 20) / size:.1f} bytes a byte, exit {code}")


def made_rows(count: int) -> Iterator[dict[str, str]]:
    chance = random.Random(5)
    vocabulary = ["".join(chance.choices("etaoinshrdlucm", k=max(2, int(chance.gauss(6, 2.4))))) for _ in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 8) for rank in range(VOCABULARY)))
    kept: list[list[str]] = []
    for at in range(count):
        if kept and chance.random() < NEAR:
            words = list(chance.choice(kept))
            words[chance.randrange(WORDS)] = "changed"
        else:
            words = chance.choices(vocabulary, cum_weights=weights, k=WORDS)
            if at % 20 == 0:
                kept.append(words)
        yield {"input": " ".join(words), "output": chance.choice(LABELS)}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
