"""How many flipped labels are found by neighbours and by cleanlab, and how long that takes: `python -m tests.bench.labels`.

5 % of the labels of clinc150 are flipped at random, with three seeds. Printed are precision at k, with k the number of flipped labels; the
number of rows found; and the precision among them. Needs cleanlab, from the extra `labels`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.checks.label_error import CERTAIN, NEIGHBOURS
from tuneproof.engine.audit.label_noise.cross_validated import find_doubts
from tuneproof.engine.audit.label_noise.neighbours import nearest_texts
from tuneproof.engine.audit.label_noise.votes import count_votes
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.readers import read_examples

SEEDS = (1, 2, 3)
ONE_IN = 20


def main() -> None:
    rows = Rows(read_examples(str(REAL_DATA / "clinc150" / "train.jsonl")).examples)
    names = sorted({example.output for example in rows})
    true_labels = [names.index(example.output) for example in rows]
    texts = rows.norm
    for seed in SEEDS:
        own, flipped = flip(true_labels, len(names), seed)
        started = time.perf_counter()
        votes = count_votes(nearest_texts(texts, NEIGHBOURS), own, len(names))
        seconds = time.perf_counter() - started
        by_margin = sorted(range(len(own)), key=lambda at: -votes.margin[at])
        print_result("neighbours", seed, by_margin, [at for at in by_margin if votes.margin[at] >= CERTAIN], flipped, seconds)
        found = find_doubts(texts, own)
        assert found is not None
        fit = dict(zip(found.judged.tolist(), found.fit.tolist(), strict=True))
        print_result("cleanlab", seed, sorted(fit, key=lambda at: fit[at]), found.doubted, flipped, found.seconds)


def flip(true_labels: Sequence[int], labels: int, seed: int) -> tuple[list[int], set[int]]:
    """The labels with one in twenty flipped, and the indices of the flipped ones."""
    rng = random.Random(seed)
    flipped = set(rng.sample(range(len(true_labels)), len(true_labels) // ONE_IN))
    others = [
        rng.choice([label for label in range(labels) if label != true_labels[at]]) if at in flipped else true_labels[at]
        for at in range(len(true_labels))
    ]
    return others, flipped


def print_result(method: str, seed: int, ranked: Sequence[int], found: Sequence[int], flipped: set[int], seconds: float) -> None:
    at_k = len(flipped.intersection(ranked[: len(flipped)])) / len(flipped)
    share = len(flipped.intersection(found)) / max(1, len(found))
    print(
        f"{method:<10} seed {seed}: precision at k {at_k:.3f}; finds {len(found):,}, {share:.1%} of them flipped; {seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
