"""Time and memory of the near-duplicate join: `python -m tests.bench.near`.

Each figure is measured in a new process, and its peak memory includes the rows. Short rows are 80,000 real questions and then edited
copies of them: 80 % are the beginning of one and the end of another, 15 % have one word changed, 5 % are unchanged. Long rows are
questions concatenated up to 400 words; a tenth of them are earlier rows with one word in 30 changed. rensa and datasketch (128
permutations, 32 bands) are measured too if they are installed; their time includes verifying the pairs that they find.
"""

from __future__ import annotations

import importlib.util
import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.near.clusters import near_rows
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.data.example import norm
from tuneproof.engine.data.readers import read_examples

AT_LEAST = 0.8
ESTIMATE_AT_LEAST = 0.68
PERMUTATIONS, BANDS = 128, 32
LONG, WORDS = 20_000, 400
PLAN = [
    *(("join", Shingle.W3, rows) for rows in (10_000, 100_000, 1_000_000)),
    *(("join", Shingle.C5, rows) for rows in (10_000, 100_000, 1_000_000)),
    *(("rensa", Shingle.W3, rows) for rows in (10_000, 100_000, 1_000_000)),
    # datasketch would take minutes at a million rows.
    *(("datasketch", Shingle.W3, rows) for rows in (10_000, 100_000)),
    *(("join-long", shingle, LONG) for shingle in Shingle),
    ("rensa-long", Shingle.W3, LONG),
]


@dataclass(frozen=True)
class Figure:
    """The measurement of one process."""

    seconds: float
    peak_mib: int
    pairs: int


def main() -> None:
    for method, shingle, rows in PLAN:
        library = method.partition("-")[0]
        name = f"{method:<11} {shingle} {rows:>9,} rows"
        if library != "join" and importlib.util.find_spec(library) is None:
            print(f"{name}: {library} is not installed")
            continue
        command = [sys.executable, "-m", "tests.bench.near", method, shingle, str(rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: ended with {done.returncode}: {done.stderr.strip()[-200:]}")
            continue
        figure = Figure(**json.loads(done.stdout))
        print(f"{name}: {figure.seconds:7.2f} s, peak {figure.peak_mib:5,} MiB, {figure.pairs:,} pairs", flush=True)


def measure(method: str, shingle: Shingle, rows: int) -> Figure:
    library, _, length = method.partition("-")
    texts = list(long_rows(rows) if length else short_rows(rows))
    started = time.perf_counter()
    pairs = METHODS[library](texts, shingle)
    seconds = time.perf_counter() - started
    return Figure(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, pairs)


def questions() -> list[str]:
    files = [str(REAL_DATA / "wikisql" / name) for name in ("train.jsonl.gz", "validation.jsonl", "test.jsonl")]
    return list(dict.fromkeys(norm(example.input) for file in files for example in read_examples(file).examples))[:80_000]


def short_rows(count: int) -> Iterator[str]:
    real, chance = questions(), random.Random(11)
    yield from real[:count]
    for _ in range(count - len(real)):
        kind, words = chance.random(), chance.choice(real).split(" ")
        if kind < 0.8:
            others = chance.choice(real).split(" ")
            words = words[: chance.randint(1, len(words))] + others[chance.randint(0, len(others) - 1) :]
        elif kind < 0.95:
            words[chance.randrange(len(words))] = chance.choice(chance.choice(real).split(" "))
        yield " ".join(words)


def long_rows(count: int) -> Iterator[str]:
    real, chance = questions(), random.Random(12)
    made: list[list[str]] = []
    for _ in range(count):
        if made and chance.random() < 0.1:
            words = list(chance.choice(made))
            for at in range(chance.randrange(30), WORDS, 30):
                words[at] = "changed"
        else:
            words = []
            while len(words) < WORDS:
                words += chance.choice(real).split(" ")
        made.append(words[:WORDS])
        yield " ".join(made[-1])


def by_join(texts: list[str], shingle: Shingle) -> int:
    return near_rows(texts, shingle, AT_LEAST).pair_count()


def by_rensa(texts: list[str], shingle: Shingle) -> int:
    from rensa import RMinHash, RMinHashLSH

    sketches: list[Any] = []
    for at in range(0, len(texts), 10_000):
        sketches += RMinHash.from_shingle_sets([list(grams(text, shingle)) for text in texts[at : at + 10_000]], PERMUTATIONS, 1)
    index = RMinHashLSH(AT_LEAST, PERMUTATIONS, BANDS)
    index.insert_many(sketches)
    pairs = 0
    for first in range(0, len(texts), 10_000):
        for at, found in enumerate(index.query_all(sketches[first : first + 10_000]), first):
            likely = (of for of in found if of < at and sketches[at].jaccard(sketches[of]) >= ESTIMATE_AT_LEAST)
            pairs += verified(texts, shingle, at, likely)
    return pairs


def by_datasketch(texts: list[str], shingle: Shingle) -> int:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    encoded = ([gram.encode() for gram in grams(text, shingle)] for text in texts)
    pairs = 0
    for at, sketch in enumerate(MinHash.generator(encoded, num_perm=PERMUTATIONS, seed=1)):
        pairs += verified(texts, shingle, at, index.query(sketch))
        index.insert(at, sketch, check_duplication=False)
    return pairs


def verified(texts: list[str], shingle: Shingle, at: int, others: Any) -> int:
    """How many of the others are near to this row."""
    own: set[str] = set()
    near = 0
    for of in others:
        own = own or grams(texts[at], shingle)
        other = grams(texts[of], shingle)
        near += len(own & other) / len(own | other) >= AT_LEAST
    return near


def grams(text: str, shingle: Shingle) -> set[str]:
    if shingle is Shingle.C5:
        return {text[at : at + 5] for at in range(max(1, len(text) - 4))}
    words = re.findall(r"\w+", text) or [text]
    return {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))}


METHODS: dict[str, Callable[[list[str], Shingle], int]] = {"join": by_join, "rensa": by_rensa, "datasketch": by_datasketch}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asdict(measure(sys.argv[1], Shingle(sys.argv[2]), int(sys.argv[3])))))
    else:
        main()
