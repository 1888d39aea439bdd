"""What the probes of a training cost, at their defaults: `python -m tests.bench.probes`, a quarter of an hour.

The sample model is trained on the whole of SNIPS as the defaults say, and steps and probes are timed from the run's events. No shorter
training would tell: a model that has not learned where an answer ends writes on until its room is full, so that early probes take longest.
"""

from __future__ import annotations

import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

from tests.conftest import REAL_DATA, ROOT, set_to, tuneproof
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.defaults import BATCH_SIZE, LORA_RATE, RANK
from tuneproof.engine.run.events import AnyEvent, CheckpointSaved, EventReader, Probed, StepLogged
from tuneproof.engine.run.store import EVENTS, RunStore, part_file

SETTINGS = [
    "training.max_steps=null",
    f"training.batch_size={BATCH_SIZE.value}",
    f"training.learning_rate={LORA_RATE.value}",
    f"training.rank={RANK.value}",
    "baselines=[zero_shot]",
]
"""The case of SNIPS, brought back to the defaults."""


def main() -> None:
    rows = REAL_DATA / "snips"
    if not rows.is_dir():
        print(f"REAL DATA MISSING: {rows}")
        return
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        (Path(place) / "eval.jsonl").write_text("".join((rows / "test.jsonl").read_text().splitlines(keepends=True)[:20]))
        words = set_to(*SETTINGS, f"data.examples={rows / 'train.jsonl'}", f"data.eval={place}/eval.jsonl")
        done = tuneproof("--replay", ROOT / "tests" / "real" / "snips.yaml", "--run-dir", run, "--until", "train", *words)
        assert done.code == 0, done.err
        steps, probes = seconds(list(EventReader(run / EVENTS).read()))
        learned = RunStore(run).read(part_file(Part.TRAIN)).count("\n")
    print(f"{learned:,} rows: {len(steps) + 1:,} steps of {statistics.median(steps):.3f} s (median), {sum(steps):.0f} s in all")
    told = ", ".join(f"{probe:.2f}" for probe in probes)
    print(f"{len(probes)} probes with their checkpoints, {told} s: {100 * sum(probes) / (sum(probes) + sum(steps)):.2f} % of the time")


def seconds(events: list[AnyEvent]) -> tuple[list[float], list[float]]:
    """The seconds of each step after the first, and of each probe with the checkpoint after it."""
    told = [event for event in events if isinstance(event, StepLogged | Probed | CheckpointSaved)]
    steps = [later.ts - sooner.ts for sooner, later in pairwise(told) if isinstance(later, StepLogged)]
    ends = [event.ts for event in told if isinstance(event, CheckpointSaved)]
    begins = [sooner.ts for sooner, later in pairwise(told) if isinstance(later, Probed)]
    return steps, [end - begin for begin, end in zip(begins, ends, strict=True)]


if __name__ == "__main__":
    main()
